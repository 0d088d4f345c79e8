/**
 * Means over the tokens of each sequence: what every sequence counts in a batch, however it is split into micro-batches.
 *
 * @module
 */
import { type AnyTensor, div, maximum, mul, sum } from "../../../core/mod.ts";

/** Means of x over the tokens that are kept. Shapes: x, keep [B, T] -> [B]. A sequence of none has 0. */
export function perSequence(x: AnyTensor, keep: AnyTensor): AnyTensor {
  return div(sum(mul(x, keep), 1), maximum(sum(keep, 1), 1));
}
