/** Layer normalisation's parameters. */
import { type Dim, layerNorm, type Size, type Tensor } from "../core/mod.ts";
import { constant, type Spec } from "./spec.ts";

/** Gain and bias. */
export interface NormSpec<C> {
  /** Factor. */
  readonly gain: Spec<[C], "f32">;
  /** Summand. */
  readonly bias: Spec<[C], "f32">;
}

/** Specs of a layer normalisation: gain 1, bias 0. */
export function normSpec<C extends Dim>(width: Size<C>): NormSpec<C> {
  return {
    gain: constant([width] as never, 1) as Spec<[C], "f32">,
    bias: constant([width] as never, 0) as Spec<[C], "f32">,
  };
}

/** PyTorch's, and RoBERTa's; BERT has 1e-12. */
export const NORM_EPSILON = 1e-5;

/** The parameters that a NormSpec becomes. */
export interface Norm<C> {
  /** Factor. */
  readonly gain: Tensor<[C]>;
  /** Summand. */
  readonly bias: Tensor<[C]>;
}

/** Normalises the last axis of [B, T, C]; statistics in f32. `epsilon` is added to the variance. Source: Ba et al. 2016. */
export function norm<B extends Dim, T extends Dim, C extends Dim>(
  x: Tensor<[B, T, C]>,
  p: Norm<C>,
  epsilon = NORM_EPSILON,
): Tensor<[B, T, C]> {
  return layerNorm(x, p.gain as never, p.bias as never, { eps: epsilon });
}
