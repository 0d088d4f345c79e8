/** From batches of typed arrays to tensors. */
import { type AnyTensor, fromArray, tensor } from "../../core/mod.ts";
import type { ClickBatch } from "../click/click_batches.ts";
import type { Batch } from "../data/batches.ts";
import type { ClickInputs, MlmInputs } from "./model.ts";
import type { ClickStepInputs, Place, StepInputs } from "./step_losses.ts";

const ints = (data: Int32Array, shape: number[]): AnyTensor => fromArray(data, shape, "i32");
const floats = (data: ArrayLike<number>, shape: number[]): AnyTensor => fromArray(data, shape);

type Masked = Pick<Batch, "T" | "P" | "ids" | "keep" | "positions" | "labels" | "weights">;

function maskedInputs(rows: number, { T, P, ids, keep, ...masked }: Masked): MlmInputs {
  return {
    ids: ints(ids, [rows, T]),
    keep: floats(keep, [rows, T]),
    positions: ints(masked.positions, [rows * P]),
    labels: ints(masked.labels, [rows * P]),
    weights: floats(masked.weights, [rows * P]),
  };
}

/** The tensors of a batch. They share its arrays: do not write to those afterwards. */
export function mlmInputs(batch: Batch): MlmInputs {
  return maskedInputs(batch.B, batch);
}

/** The tensors of a batch of impressions, likewise. */
export function clickInputs(batch: ClickBatch): ClickInputs {
  const { I, D, T, segments } = batch,
    grid = (data: Float32Array): AnyTensor => floats(data, [I, D]);
  return {
    ...maskedInputs(I * D, batch),
    segments: ints(segments, [I * D, T]),
    shown: {
      keep: grid(batch.shown),
      clicks: grid(batch.clicks),
      weights: grid(batch.propensities),
      ranks: grid(batch.ranks),
    },
  };
}

/** Where a micro-batch stands: its rows begin at row `first` of step `step`, which predicts so many tokens. */
function placeOf(step: number, first: number, predictions: number): Place {
  return {
    step: tensor(step, "i32"),
    first: tensor(first, "i32"),
    share: tensor(1 / Math.max(1, predictions)),
  };
}

/** The tensors of a micro-batch of text. */
export function stepInputs(
  batch: Batch,
  step: number,
  first: number,
  predictions: number = batch.total,
): StepInputs {
  return { ...mlmInputs(batch), ...placeOf(step, first, predictions) };
}

/** The tensors of a micro-batch of impressions; all clicks of the step weigh `weight`. */
export function clickStepInputs(
  batch: ClickBatch,
  step: number,
  first: number,
  { predictions, weight }: { readonly predictions: number; readonly weight: number },
): ClickStepInputs {
  const clickShare = tensor(weight > 0 ? 1 / weight : 0);
  return { ...clickInputs(batch), ...placeOf(step, first, predictions), clickShare };
}
