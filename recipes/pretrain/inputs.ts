/** From batches of typed arrays to tensors. */
import { type AnyTensor, fromArray, tensor } from "../../core/mod.ts";
import type { Batch } from "../data/batches.ts";
import type { MlmInputs } from "./model.ts";
import type { StepInputs } from "./step.ts";

/** The tensors of a batch. They share its arrays: do not write to those afterwards. */
export function mlmInputs({ B, T, P, ids, keep, positions, labels, weights }: Batch): MlmInputs {
  const ints = (data: Int32Array, shape: number[]): AnyTensor => fromArray(data, shape, "i32");
  const floats = (data: ArrayLike<number>, shape: number[]): AnyTensor => fromArray(data, shape);
  return {
    ids: ints(ids, [B, T]),
    keep: floats(keep, [B, T]),
    positions: ints(positions, [B * P]),
    labels: ints(labels, [B * P]),
    weights: floats(weights, [B * P]),
  };
}

/** The tensors of a micro-batch: its rows begin at row `first` of the batch of step `step`. */
export function stepInputs(batch: Batch, step: number, first: number): StepInputs {
  return { ...mlmInputs(batch), step: tensor(step, "i32"), first: tensor(first, "i32") };
}
