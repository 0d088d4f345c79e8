/**
 * Vectors of texts.
 *
 * @module
 */
import { type AnyTensor, div, einsum, expandDims, mul, sqrt, sum } from "../../core/mod.ts";
import type { HeadInputs } from "../clue/heads/head.ts";

/** Means of the tokens' hidden states, of length 1. Shapes: [B, T, C] -> [B, C]. */
export function meanVectors({ hidden, keep }: Pick<HeadInputs, "hidden" | "keep">): AnyTensor {
  // The mean's divisor goes with the length.
  const sums: AnyTensor = einsum("btc,bt->bc", hidden, keep);
  const lengths: AnyTensor = sqrt(sum(mul(sums, sums), 1) as AnyTensor);
  return div(sums, expandDims(lengths, 1)) as AnyTensor;
}
