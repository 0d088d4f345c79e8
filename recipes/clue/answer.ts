/**
 * What a model answers to units.
 *
 * @module
 */
import {
  type AnyTensor,
  type Device,
  dispose,
  jit,
  read,
  sizesOf,
  type Tensor,
} from "../../core/mod.ts";
import type { EncoderOptions } from "../../nn/mod.ts";
import type { Head } from "./heads/head.ts";
import { hiddenOf, type TaskModel } from "./task_model.ts";
import { type RowInputs, rowInputs, sortedBatches } from "./unit_batches.ts";
import type { Unit } from "./unit.ts";

/** The outputs of units, in their order. `progress` is told how many there are, batch by batch. */
export type Answerer = (
  model: TaskModel,
  units: readonly Unit[],
  progress?: (done: number) => void,
) => Promise<readonly Float32Array[]>;

/** Rows that are answered at once. */
const ROWS = 64;

/** Units that are answered at once: of so many rows, or one that has more. */
export const answeredAtOnce = ({ rows }: Pick<Head, "rows">): number => Math.ceil(ROWS / rows);

/** A function that answers, or gives the probabilities of its outputs; a program is compiled for every length. */
export function answerer(
  head: Head,
  options: EncoderOptions,
  U: number,
  pad: number,
  device: Device,
  wanted: "answers" | "probabilities" = "answers",
): Answerer {
  const program = jit(
    (model: TaskModel, inputs: RowInputs): AnyTensor => {
      const encoded = hiddenOf(model, inputs, options), outputs = head.outputs(model.head, encoded);
      if (wanted === "probabilities") return head.probabilities(model.head, outputs, encoded);
      return head.answers?.(model.head, outputs, encoded) ?? outputs;
    },
    { device },
  );
  return async (model, units, progress) => {
    const found: Float32Array[] = Array(units.length);
    let done = 0;
    for (const batch of sortedBatches(units, U)) {
      const inputs = rowInputs(units, batch, U, head, pad), outputs = program(model, inputs);
      const values = await read(outputs as Tensor), own = values.length / sizesOf(outputs)[0]!;
      dispose([inputs, outputs]);
      batch.units.forEach((n, u) => {
        found[n] = Float32Array.from(values.subarray(u * own, (u + 1) * own));
      });
      progress?.(done += batch.units.length);
    }
    return found;
  };
}
