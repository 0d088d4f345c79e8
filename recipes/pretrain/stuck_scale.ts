/**
 * What becomes of a run in f16 whose gradients are not finite even at the lowest loss scale: it stops, and says which tensor it was.
 *
 * Its weights are sound, as all those steps were skipped.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import { trainBatches } from "../data/batches.ts";
import type { BatchSource } from "../data/batch_worker.ts";
import type { ClickStep } from "./click_task.ts";
import type { PretrainConfig } from "./config.ts";
import { firstNotFinite, type NotFinite } from "./first_not_finite.ts";
import { DivergedError } from "../cli/diverged_error.ts";
import { clickStepInputs, stepInputs } from "./inputs.ts";
import type { Model } from "./model.ts";
import { type LearnState, lossInputs } from "./step.ts";
import type { ClickStepInputs, StepInputs } from "./step_losses.ts";

/** Steps in a row that are skipped at the lowest scale before a run stops, if they still are when it reads its metrics. */
export const STUCK = 8;

/** Where a run is stuck. */
export interface Stuck {
  readonly config: PretrainConfig;
  readonly model: Model;
  readonly optimizer: LearnState;
  /** The first of the steps that were skipped at the lowest scale, from 0. */
  readonly step: number;
  /** Steps of the stages before. */
  readonly before: number;
  readonly source: BatchSource;
  readonly clicks: ((step: number) => ClickStep) | undefined;
}

/** The micro-batches of a step once more, in their order. */
function* inputsOf(
  { config, step, source, clicks }: Stuck,
): Generator<StepInputs | ClickStepInputs> {
  const { batch: B, microBatch } = config.data, shown = clicks?.(step);
  const batches = trainBatches(source.set, source.vocabulary, source.settings);
  const extra = config.click?.mlm ? shown!.predictions : 0;
  let predictions = 0;
  for (let first = 0; first < B; first += microBatch) {
    const batch = batches(step, first, Math.min(B, first + microBatch));
    predictions = batch.total + extra;
    yield stepInputs(batch, step, first, predictions);
  }
  for (const { batch, first } of shown?.parts ?? []) {
    yield clickStepInputs(batch, step, B + first, { predictions, weight: shown!.weight });
  }
}

/** What is not finite, in words. */
function described(found: NotFinite | undefined): string {
  if (!found) return "the sum of the gradients of all micro-batches";
  const { first, parameter } = found;
  if (!parameter || first.endsWith(` of ${parameter}`)) return first;
  return `${first}, and of the gradients that of ${parameter}`;
}

/** Computes the step once more and gives what is to be thrown. */
export async function stuckError(stuck: Stuck, device: Device): Promise<DivergedError> {
  const { config, model, optimizer, step, before } = stuck, { floor } = config.lossScale;
  const first = firstNotFinite(config, device);
  let what: NotFinite | undefined;
  for (const inputs of inputsOf(stuck)) {
    what ??= await first(model, inputs, lossInputs(optimizer));
    dispose(inputs);
    if (what) break;
  }
  const at = before + step + 1;
  return new DivergedError(
    `Cannot go on with ${config.name} in ${config.precision}: from step ${at} on, ${STUCK} steps in a row had gradients that are not ` +
      `finite at the lowest loss scale, ${floor}; first not finite at step ${at}: ${
        described(what)
      }; go on with --init and this run's folder and --set precision=bf16 (or f32), or lower optimizer.rate`,
  );
}
