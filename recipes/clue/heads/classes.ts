/**
 * One of some classes for a text or a pair.
 *
 * @module
 */
import { add, type AnyTensor, einsum, reshape, size, softmax } from "../../../core/mod.ts";
import { crossEntropy, type LinearSpec, linearSpec } from "../../../nn/mod.ts";
import { type Head, head, logsOf } from "./head.ts";
import { atCls } from "./pool.ts";
import type { Reading, ReadingSpec } from "./reading.ts";

/** Parameters of the head. */
export interface ClassesSpec {
  readonly pool: ReadingSpec;
  readonly out: LinearSpec<"C", "L">;
}

/** The head over L classes. Shapes: outputs [U, L], targets [U, 1]. */
export function classes(L: number, { spec, read }: Reading = atCls): Head {
  return head<ClassesSpec>({
    rows: 1,
    targets: 1,
    classes: L,
    spec(width) {
      const out = linearSpec(size("C", width), size("L", L), 0.02);
      return { pool: spec(width), out };
    },
    outputs: (p, inputs) => add(einsum("bc,cl->bl", read(p.pool, inputs), p.out.w), p.out.b),
    probabilities: (_, outputs) => softmax(outputs, 1) as AnyTensor,
    decide: logsOf,
    loss: (_, outputs, __, { targets, weights }) =>
      crossEntropy(
        outputs,
        reshape(targets as AnyTensor, [-1]) as AnyTensor,
        weights as AnyTensor,
      ),
  });
}
