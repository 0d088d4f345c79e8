/** The position-wise feed-forward network. */
import {
  add,
  type Dim,
  einsum,
  type Float,
  gelu,
  relu,
  type Shape,
  silu,
  type Size,
  type Tensor,
} from "../core/mod.ts";
import { type LinearSpec, linearSpec } from "./linear.ts";
import type { TensorsOf } from "./spec.ts";

/** Activations by name. */
export const activations = { gelu, relu, silu } as const satisfies Readonly<
  Record<string, <S extends Shape, D extends Float>(x: Tensor<S, D>) => Tensor<S, D>>
>;
/** The name of an activation. */
export type Activation = keyof typeof activations;

/** Up to F, and down again. */
export interface FeedForwardSpec<C, F> {
  /** To the hidden width. */
  readonly up: LinearSpec<C, F>;
  /** Back to the model's width. */
  readonly down: LinearSpec<F, C>;
}

/** Specs of a feed-forward network. */
export function feedForwardSpec<C extends Dim, F extends Dim>(
  width: Size<C>,
  hidden: Size<F>,
  std = 0.02,
  outStd = std,
): FeedForwardSpec<C, F> {
  return { up: linearSpec(width, hidden, std), down: linearSpec(hidden, width, outStd) };
}

/** down(activation(up(x))). Shapes: [B, T, C] -> [B, T, C]. */
export function feedForward<B extends Dim, T extends Dim, C extends Dim, F extends Dim>(
  p: TensorsOf<FeedForwardSpec<C, F>>,
  x: Tensor<[B, T, C]>,
  activation: Activation = "gelu",
): Tensor<[B, T, C]> {
  const hidden = activations[activation](add(einsum("btc,cf->btf", x, p.up.w), p.up.b));
  return add(einsum("btf,fc->btc", hidden, p.down.w), p.down.b);
}
