/**
 * The loss of a step of fine-tuning.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  arange,
  foldIn,
  key,
  mul,
  sizesOf,
  type Tensor,
  vmap,
} from "../../../core/mod.ts";
import type { EncoderOptions } from "../../../nn/mod.ts";
import type { Head, Targets } from "../heads/head.ts";
import { hiddenOf, type TaskModel } from "../task_model.ts";
import type { RowInputs } from "../unit_batches.ts";
import { disagreement, half, twice } from "./r_drop.ts";

/** Where a step stands. */
export interface Place {
  /** Number of the step, from 0. */
  readonly step: Tensor<[], "i32">;
  /** 1 / the units of the step. */
  readonly share: Tensor<[]>;
}

/** What a step reads. */
export type StepInputs = RowInputs & Targets & Place;

/** What a loss is made of. */
export interface LossParts {
  readonly head: Head;
  readonly options: EncoderOptions;
  /** Share of dropped values. */
  readonly dropout: number;
  readonly seed: number;
  /** Weight α of R-Drop; 0 makes one pass. */
  readonly rDrop: number;
}

/** One key for each row: (seed, step, place in the batch). */
function rowKeys(seed: number, { ids, step }: StepInputs): AnyTensor {
  const root = foldIn(key(seed), step), places = arange(sizesOf(ids)[0]!) as AnyTensor;
  return vmap((place: Tensor<[], "i32">) => foldIn(root, place))(places);
}

/** The loss of a batch: the mean over its units, with R-Drop that of two passes and how much they disagree. */
export function stepLoss(
  { head, options, dropout: rate, seed, rDrop }: LossParts,
): (model: TaskModel, inputs: StepInputs) => Tensor<[]> {
  const passed = (model: TaskModel, inputs: StepInputs) => {
    const dropped = rate > 0 ? { rate, keys: rowKeys(seed, inputs) as never } : undefined;
    const encoded = hiddenOf(model, inputs, options, dropped);
    const outputs = head.outputs(model.head, encoded);
    return { outputs, sum: head.loss(model.head, outputs, encoded, inputs).sum };
  };
  if (rDrop === 0) return (model, inputs) => mul(passed(model, inputs).sum, inputs.share);
  return (model, inputs) => {
    const { outputs, sum } = passed(model, twice(inputs));
    const apart = disagreement(
      head,
      model.head,
      [half(outputs, 0), half(outputs, 1)],
      inputs,
    );
    return mul(add(mul(sum, 0.5), mul(apart, rDrop)), inputs.share);
  };
}
