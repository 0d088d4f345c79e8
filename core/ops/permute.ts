/** Axes in another order. No element moves until something reads them: orders are strides. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { permute as permuteNode, transpose as transposeNode } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import {
  type Arg,
  type Ok,
  type OverAxis,
  type Permute,
  permuteShape,
  type Shape,
  type Swap,
  swapShape,
  type Transpose,
  transposeShape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { drawAxis, movement } from "./movement.ts";

const fromStart = (n: Node, axis: number): number => axis < 0 ? axis + n.shape.length : axis;

/**
 * Axes in another order: axis k of the result is axis axes[k] of x.
 *
 * Shapes: [...S] -> S in the order of `axes`.
 *
 * @throws {TypeError} if `axes` is no permutation of the axes.
 *
 * @example
 * ```ts
 * import { permute, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = permute(tensor([[[1, 2, 3], [4, 5, 6]]]), [2, 0, 1]);
 * assertEquals([...y.shape], [3, 1, 2]);
 * assertEquals([...await read(y)], [1, 4, 2, 5, 3, 6]);
 * ```
 */
export function permute<S extends Shape, D extends DType, const P extends readonly number[]>(
  x: Tensor<S, D>,
  axes: Arg<Permute<S, P>, P>,
): Tensor<Ok<Permute<S, P>>, D> {
  const n = nodeOf(x), order = axes as readonly number[];
  unwrap(permuteShape(n.shape, order));
  return wrap(settle(permuteNode(n, order.map((a) => fromStart(n, a)))));
}

export const permuteLaw = movement("permute", (d) => {
  const shape = d.shape(0, 4), order: number[] = [];
  for (let i = 0; i < shape.length; i++) order.splice(d.int(0, i), 0, i);
  return { shapes: [shape], call: (x) => permute(x!, order) };
});

/**
 * Two axes swapped.
 *
 * Shapes: [..., A, ..., B, ...] -> [..., B, ..., A, ...].
 *
 * @throws {TypeError} if there is no such axis.
 *
 * @example
 * ```ts
 * import { swapaxes, zeros } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...swapaxes(zeros([2, 3, 4]), 0, -1).shape], [4, 3, 2]);
 * ```
 */
export function swapaxes<
  S extends Shape,
  D extends DType,
  const A extends number,
  const B extends number,
>(
  x: Tensor<S, D>,
  a: Arg<OverAxis<"swapaxes", S, A>, A>,
  b: Arg<Swap<S, A, B>, B>,
): Tensor<Ok<Swap<S, A, B>>, D> {
  const n = nodeOf(x);
  unwrap(swapShape(n.shape, a as number, b as number));
  const [i, j] = [fromStart(n, a as number), fromStart(n, b as number)];
  return wrap(settle(permuteNode(n, [...n.shape.keys()].with(i, j).with(j, i))));
}

export const swapaxesLaw = movement("swapaxes", (d) => {
  const shape = d.shape(1, 4), a = drawAxis(d, shape), b = drawAxis(d, shape);
  return { shapes: [shape], call: (x) => swapaxes(x!, a, b) };
});

/**
 * The last two axes swapped: of a matrix, its transpose.
 *
 * Shapes: [..., M, N] -> [..., N, M].
 *
 * @throws {TypeError} if there are fewer than two axes.
 *
 * @example
 * ```ts
 * import { read, tensor, transpose } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(transpose(tensor([[1, 2], [3, 4]])))], [1, 3, 2, 4]);
 * ```
 */
export function transpose<S extends Shape, D extends DType>(
  x: Arg<Transpose<S>, Tensor<S, D>>,
): Tensor<Ok<Transpose<S>>, D> {
  const n = nodeOf(x as AnyTensor);
  unwrap(transposeShape(n.shape));
  return wrap(settle(transposeNode(n)));
}

export const transposeLaw = movement(
  "transpose",
  (d) => ({ shapes: [d.shape(2, 4)], call: (x) => transpose(x!) }),
);
