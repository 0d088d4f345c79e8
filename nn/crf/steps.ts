/**
 * What the loops over tokens see: the scores of a token in every row, and which rows keep it.
 *
 * @module
 */
import { type AnyTensor, expandDims, greater, permute } from "../../core/mod.ts";

/** Tokens first. Shapes: e [T, B, L], kept [T, B, 1]. */
export interface CrfSteps {
  readonly e: AnyTensor;
  readonly kept: AnyTensor;
}

/** Shapes: emissions [B, T, L], keep [B, T] -> tokens first. */
export function crfSteps(emissions: AnyTensor, keep: AnyTensor): CrfSteps {
  const kept: AnyTensor = greater(permute(keep, [1, 0]), 0);
  return { e: permute(emissions, [1, 0, 2]), kept: expandDims(kept, 2) };
}
