/**
 * One cell: trains a model from the beginning to the end and asks its questions.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import { clickEvaluator } from "../pretrain/click_task.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import { evaluator } from "../pretrain/evaluate.ts";
import type { Model } from "../pretrain/model.ts";
import { longestText } from "../pretrain/positions.ts";
import { stagesOf, totalSteps } from "../pretrain/stages.ts";
import { startTokens } from "../pretrain/token_start.ts";
import { freshOptimizer, initialState, train } from "../pretrain/train.ts";
import { type ClickQuestion, isClicks, type TextQuestion } from "./ablation.ts";
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

/** Where it is done. */
interface Place extends CellHooks {
  readonly data: AblateData;
  readonly device: Device;
}

type Values = Record<string, number | null>;
type Curve = [step: number, loss: number][];

/** Trains a cell; undefined if it was stopped. A result depends on the cell and the data alone, not on what was trained before. */
export async function trainCell(
  { config, finish, questions }: Pick<Cell, "config" | "finish" | "questions">,
  data: AblateData,
  device: Device,
  hooks: CellHooks,
): Promise<CellResult | undefined> {
  const began = performance.now(), place = { data, device, ...hooks };
  const values: Values = {}, curve: Curve = [];
  let model = await trained(config, place, 0, curve);
  try {
    const ofText = questions.flatMap((question) => isClicks(question) ? [] : [question]);
    if (!model || !await askText(ofText, model, config, place, values)) return undefined;
    if (finish) model = await trained(finish, place, totalSteps(config), curve, model);
    const ofClicks = questions.filter(isClicks);
    if (!model || !await askClicks(ofClicks, model, finish ?? config, place, values)) {
      return undefined;
    }
  } finally {
    if (model) dispose(model);
  }
  const seconds = (performance.now() - began) / 1000;
  return { values, curve, seconds, device: device.description };
}

/** Trains through all stages, from fresh weights or, as far as it has them, from those of `from`, which it takes over. */
async function trained(
  config: PretrainConfig,
  { data, device, step, stop }: Place,
  before: number,
  curve: Curve,
  from?: Model,
): Promise<Model | undefined> {
  const { vocabulary } = data, tables = await data.tables(config.mask);
  const clickData = config.click && await data.clicks(config.click);
  let { model, optimizer } = await initialState(config, vocabulary.tokens.length, device);
  if (!from) model = await startTokens(config, model, data.text, device);
  else {
    for (const name of Object.keys(from)) dispose(model[name as keyof Model]);
    model = { ...model, ...from };
  }
  for (const { config: own, number, offset } of stagesOf(config)) {
    if (number > 1) {
      dispose(optimizer);
      optimizer = await freshOptimizer(own, model, device);
    }
    // Held-out text is asked about afterwards: `train` is told to evaluate nothing.
    const set = data.train(own.data.length);
    const source = { vocabulary, tables, train: set, heldOut: set, ...clickData && { clickData } };
    const taken = before + offset;
    const ended = await train(own, { step: 0, model, optimizer }, source, device, {
      metrics: (row) => curve.push([taken + row.step, row.loss as number]),
      evaluation: () => false,
      progress: (at) => step(taken + at),
      checkpoint: () => Promise.resolve(),
      stop,
    });
    ({ model, optimizer } = ended);
    if (ended.step < own.steps) {
      dispose(optimizer);
      dispose(model);
      return undefined;
    }
  }
  dispose(optimizer);
  return model;
}

/** Perplexities; false if it was stopped. */
async function askText(
  questions: readonly TextQuestion[],
  model: Model,
  config: PretrainConfig,
  { data, device, stop }: Place,
  values: Values,
): Promise<boolean> {
  const evaluate = evaluator(config.model, device);
  for (const question of questions) {
    if (stop()) return false;
    if (question.length > longestText(config.model)) continue;
    const { perplexity } = await evaluate(model, data.ask(question));
    values[question.name] = Number.isFinite(perplexity) ? perplexity : null;
  }
  return true;
}

/** Figures of held-out titles; false if it was stopped. */
async function askClicks(
  questions: readonly ClickQuestion[],
  model: Model,
  { model: sizes, click }: PretrainConfig,
  { data, device, stop }: Place,
  values: Values,
): Promise<boolean> {
  if (questions.length === 0) return true;
  if (stop()) return false;
  const log = await data.clicks(click!);
  const found = await clickEvaluator(sizes, click!, log, data.vocabulary, device)(model);
  for (const { name, figure } of questions) {
    const value = found?.[figure] ?? NaN;
    values[name] = Number.isFinite(value) ? value : null;
  }
  return true;
}
