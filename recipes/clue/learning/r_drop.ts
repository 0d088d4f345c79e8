/**
 * R-Drop: two passes of the same batch with other dropout are to answer alike.
 *
 *     loss = (CE(p) + CE(q)) / 2 + α · (KL(p ‖ q) + KL(q ‖ p)) / 2
 *
 * Both passes run as one batch of twice as many rows.
 *
 * Source: Liang et al. 2021 (arXiv 2106.14448), with the mean of the cross-entropies where the paper has their sum, so that α = 0 is the
 * loss without.
 *
 * @module
 */
import {
  type AnyTensor,
  concat,
  div,
  mapTree,
  maximum,
  mul,
  reshape,
  sizesOf,
  slice,
  sub,
  sum,
  type Tensor,
  type Tree,
} from "../../../core/mod.ts";
import type { Head } from "../heads/head.ts";
import { tagged } from "../heads/tags.ts";
import type { StepInputs } from "./loss.ts";

/** A batch after itself: the rows of the second half have other places, and so other dropout. */
export function twice({ step, share, ...rows }: StepInputs): StepInputs {
  const both = mapTree(rows as Tree<AnyTensor>, (x) => concat([x, x], 0) as AnyTensor);
  return { ...both as unknown as typeof rows, step, share };
}

/** The first or the second half along the first axis. */
export function half(x: AnyTensor, which: 0 | 1): AnyTensor {
  const n = sizesOf(x)[0]! / 2;
  return slice(x, 0, which * n, (which + 1) * n) as AnyTensor;
}

/**
 * (KL(p ‖ q) + KL(q ‖ p)) / 2 of two outputs to the same units, a mean over what each unit answers as in the loss, summed by weight.
 *
 * Outputs z are the natural parameters of their distribution, softmax or conditional random field, so that the partition functions cancel:
 * KL(p ‖ q) + KL(q ‖ p) = Σ (p - q) (z_p - z_q), with p and q the probabilities or marginals.
 *
 * Shapes: [U, …] twice -> [].
 */
export function disagreement(
  { probabilities, targets: wanted }: Pick<Head, "probabilities" | "targets">,
  params: Parameters<Head["probabilities"]>[0],
  [one, other]: readonly [AnyTensor, AnyTensor],
  inputs: Pick<StepInputs, "keep" | "targets" | "weights">,
): Tensor<[]> {
  const of = (outputs: AnyTensor): AnyTensor => probabilities(params, outputs, inputs);
  const terms: AnyTensor = mul(sub(of(one), of(other)), sub(one, other));
  const apart: AnyTensor = sum(reshape(terms, [sizesOf(one)[0]!, -1]) as AnyTensor, 1);
  const count: AnyTensor | number = wanted === "tokens"
    ? maximum(sum(tagged(inputs.targets as AnyTensor), 1) as AnyTensor, 1)
    : wanted;
  const mean: AnyTensor = div(apart, mul(count as AnyTensor, 2));
  return sum(mul(mean, inputs.weights as AnyTensor)) as AnyTensor;
}
