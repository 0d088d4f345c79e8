/** The affine map. */
import {
  add,
  type AnyTensor,
  type Arg,
  type Dim,
  type Float,
  type Linear as LinearShape,
  type Matmul,
  matmul,
  type Ok,
  type Shape,
  type Size,
  sizesOf,
  type Tensor,
} from "../core/mod.ts";
import { linearShape, unwrap } from "../core/shape/mod.ts";
import { constant, normal, type Spec } from "./spec.ts";

/** Weight and bias. */
export interface LinearSpec<C, F> {
  /** Weight. */
  readonly w: Spec<[C, F], "f32">;
  /** Bias. */
  readonly b: Spec<[F], "f32">;
}

/** Specs of an affine map from C to F: weights normal around 0, biases 0. */
export function linearSpec<C extends Dim, F extends Dim>(
  from: Size<C>,
  to: Size<F>,
  std = 0.02,
): LinearSpec<C, F> {
  return {
    w: normal([from, to] as never, std) as Spec<[C, F], "f32">,
    b: constant([to] as never, 0) as Spec<[F], "f32">,
  };
}

/**
 * x W + b.
 *
 * Shapes: x [...S, C], w [C, F], b [F] -> [...S, F].
 *
 * @throws {TypeError} if the inner axes differ, or the bias is not as long as the last axis.
 *
 * @example
 * ```ts
 * import { read, tensor } from "@motian/motian";
 * import { linear } from "@motian/motian/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const y = linear(tensor([[1, 2]]), tensor([[1], [10]]), tensor([0.5]));
 * assertEquals([...await read(y)], [21.5]);
 * ```
 */
export function linear<X extends Shape, W extends Shape, B extends Shape, D extends Float>(
  x: Tensor<X, D>,
  w: Arg<Matmul<X, W, "linear">, Tensor<W, NoInfer<D>>>,
  b: Arg<LinearShape<X, W, B>, Tensor<B, NoInfer<D>>>,
): Tensor<Ok<LinearShape<X, W, B>>, D> {
  unwrap(linearShape(sizesOf(x), sizesOf(w as AnyTensor), sizesOf(b as AnyTensor)));
  return add(matmul(x as AnyTensor, w as AnyTensor) as AnyTensor, b as AnyTensor) as AnyTensor;
}
