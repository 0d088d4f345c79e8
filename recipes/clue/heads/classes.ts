/**
 * One of some classes for a text or a pair.
 *
 * @module
 */
import { add, type AnyTensor, einsum, reshape, size, softmax } from "../../../core/mod.ts";
import { crossEntropy, type LinearSpec, linearSpec } from "../../../nn/mod.ts";
import { type Head, head, logsOf } from "./head.ts";
import { pool } from "./pool.ts";

/** Parameters of the head. */
export interface ClassesSpec {
  readonly pool: LinearSpec<"C", "C">;
  readonly out: LinearSpec<"C", "L">;
}

/** The head over L classes. Shapes: outputs [U, L], targets [U, 1]. */
export function classes(L: number): Head {
  return head<ClassesSpec>({
    rows: 1,
    targets: 1,
    classes: L,
    spec(width) {
      const C = size("C", width);
      return { pool: linearSpec(C, C, 0.02), out: linearSpec(C, size("L", L), 0.02) };
    },
    outputs: (p, inputs) => add(einsum("bc,cl->bl", pool(p.pool, inputs), p.out.w), p.out.b),
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
