/**
 * A part of the text: where it starts and where it ends.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  broadcastTo,
  einsum,
  expandDims,
  greater,
  mul,
  reshape,
  size,
  sizesOf,
  softmax,
  where,
} from "../../../core/mod.ts";
import { crossEntropy, type LinearSpec, linearSpec } from "../../../nn/mod.ts";
import { type Head, head, logsOf } from "./head.ts";

/** Parameters of the head. */
export interface SpanSpec {
  readonly out: LinearSpec<"C", "E">;
}

/** The score of padding: its probability is 0. */
const NONE = -1e9;

/**
 * The head. The loss is the mean of those of start and end, each a choice among the tokens of the row.
 *
 * Shapes: outputs [U, 2, T] (starts, then ends), targets [U, 2].
 *
 * Source: Devlin et al. 2019 (arXiv 1810.04805), section 4.2.
 */
export const span: Head = head<SpanSpec>({
  rows: 1,
  targets: 2,
  spec: (width) => ({ out: linearSpec(size("C", width), size("E", 2), 0.02) }),
  outputs({ out }, { hidden, keep }) {
    const scores = einsum("btc,ce->bet", hidden as AnyTensor, out.w as AnyTensor) as AnyTensor;
    const all: AnyTensor = add(scores, expandDims(out.b as AnyTensor, 1));
    return where(greater(expandDims(keep as AnyTensor, 1), 0), all, NONE) as AnyTensor;
  },
  probabilities: (_, outputs) => softmax(outputs, 2) as AnyTensor,
  decide: logsOf,
  loss(_, outputs, __, { targets, weights }) {
    const [U, , T] = sizesOf(outputs);
    const halves: AnyTensor = broadcastTo(expandDims(mul(weights as AnyTensor, 0.5), 1), [U!, 2]);
    return crossEntropy(
      reshape(outputs, [-1, T!]) as AnyTensor,
      reshape(targets as AnyTensor, [-1]) as AnyTensor,
      reshape(halves, [-1]) as AnyTensor,
    );
  },
});
