/**
 * One cell: trains a configuration from the beginning to the end and asks its questions.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import { evaluator } from "../pretrain/evaluate.ts";
import { longestText } from "../pretrain/positions.ts";
import { stagesOf } from "../pretrain/stages.ts";
import { freshOptimizer, initialState, train } from "../pretrain/train.ts";
import type { AblateData } from "./ablate_data.ts";
import type { CellResult } from "./cell_store.ts";
import type { Cell } from "./plan.ts";

/** What training tells and asks its surroundings. */
export interface CellHooks {
  /** Every step, through all stages. */
  readonly step: (step: number) => void;
  /** Is it time to stop? Then there is no result. */
  readonly stop: () => boolean;
}

/** Trains a cell; undefined if it was stopped. A result depends on the cell and the data alone, not on what was trained before. */
export async function trainCell(
  { config, questions }: Pick<Cell, "config" | "questions">,
  data: AblateData,
  device: Device,
  { step, stop }: CellHooks,
): Promise<CellResult | undefined> {
  const began = performance.now(), { vocabulary } = data;
  const curve: [number, number][] = [], tables = await data.tables(config.mask);
  let { model, optimizer } = await initialState(config, vocabulary.tokens.length, device);
  const leave = <T>(result: T): T => {
    dispose(model);
    dispose(optimizer);
    return result;
  };
  for (const { config: own, number, offset } of stagesOf(config)) {
    if (number > 1) {
      dispose(optimizer);
      optimizer = await freshOptimizer(own, model, device);
    }
    // Held-out text is asked about below: `train` is told to evaluate nothing.
    const set = data.train(own.data.length);
    const source = { vocabulary, tables, train: set, heldOut: set };
    const trained = await train(own, { step: 0, model, optimizer }, source, device, {
      metrics: (row) => curve.push([offset + row.step, row.loss as number]),
      evaluation: () => false,
      progress: (at) => step(offset + at),
      checkpoint: () => Promise.resolve(),
      stop,
    });
    ({ model, optimizer } = trained);
    if (trained.step < own.steps) return leave(undefined);
  }
  const values: Record<string, number | null> = {}, evaluate = evaluator(config.model, device);
  for (const question of questions) {
    if (stop()) return leave(undefined);
    if (question.length > longestText(config.model)) continue;
    const { perplexity } = await evaluate(model, data.ask(question));
    values[question.name] = Number.isFinite(perplexity) ? perplexity : null;
  }
  const seconds = (performance.now() - began) / 1000;
  return leave({ values, curve, seconds, device: device.description });
}
