/**
 * One of several texts, each read in a row of its own.
 *
 * @module
 */
import {
  type AnyTensor,
  einsum,
  greater,
  reshape,
  size,
  slice,
  softmax,
  where,
} from "../../../core/mod.ts";
import { crossEntropy, type LinearSpec, linearSpec, normal, type Spec } from "../../../nn/mod.ts";
import { type Head, head, logsOf } from "./head.ts";
import { pool } from "./pool.ts";

/** Parameters of the head. A bias would be the same for all choices. */
export interface ChoiceSpec {
  readonly pool: LinearSpec<"C", "C">;
  readonly out: Spec<["C"], "f32">;
}

/** The score of what is no choice: so low that its probability is 0, and no infinity. */
const NONE = -1e9;

/**
 * The head over N rows. A row of one token stands where a unit has fewer choices: it is never chosen.
 *
 * Shapes: outputs [U, N], targets [U, 1].
 *
 * Source: Radford et al. 2018, section 3.3: a score for each choice, and a softmax over them.
 */
export function choice(N: number): Head {
  return head<ChoiceSpec>({
    rows: N,
    targets: 1,
    ...N > 1 && { alone: choice(1) as never },
    spec(width) {
      const C = size("C", width);
      return { pool: linearSpec(C, C, 0.02), out: normal([C], 0.02) };
    },
    outputs(p, inputs) {
      const scores = reshape(einsum("bc,c->b", pool(p.pool, inputs), p.out) as AnyTensor, [-1, N]);
      const second: AnyTensor = slice(inputs.keep as AnyTensor, 1, 1, 2);
      return where(greater(reshape(second, [-1, N]), 0), scores as AnyTensor, NONE) as AnyTensor;
    },
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
