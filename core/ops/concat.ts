/** Tensors joined along an axis, and cut along one. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { concat as concatNode, reshape, sliceAxis } from "../graph/build.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  type Concat,
  concatShape,
  freshShape,
  type Ok,
  type OneDType,
  oneDType,
  type Shape,
  type Split,
  splitShape,
  type Stack,
  stackShape,
  unwrap,
} from "../shape/mod.ts";
import {
  type AnyTensor,
  type DTypesOf,
  nodeOf,
  type ShapesOf,
  type Tensor,
  wrap,
} from "../tensor.ts";
import { drawAxis, movement } from "./movement.ts";

/**
 * Tensors joined along an axis.
 *
 * Shapes: [..., A, ...], [..., B, ...] … -> [..., A + B + …, ...].
 *
 * @throws {TypeError} if there is no tensor or no such axis, if another axis differs, or the dtypes do.
 *
 * @example
 * ```ts
 * import { concat, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = concat([tensor([[1, 2]]), tensor([[3, 4], [5, 6]])], 0);
 * assertEquals([...y.shape], [3, 2]);
 * assertEquals([...await read(y)], [1, 2, 3, 4, 5, 6]);
 * ```
 */
export function concat<const T extends readonly AnyTensor[], const A extends number>(
  tensors: Arg<OneDType<"concat", DTypesOf<T>, Concat<ShapesOf<T>, A>>, T>,
  axis: A,
): Tensor<Ok<Concat<ShapesOf<T>, A>>, T[0]["dtype"]> {
  const nodes = (tensors as readonly AnyTensor[]).map(nodeOf);
  const shape = unwrap(concatShape(nodes.map((n) => n.shape), axis));
  unwrap(oneDType("concat", nodes.map((n) => n.dtype)));
  return wrap(settle(concatNode(nodes, unwrap(axisIndex("concat", shape, axis)))));
}

export const concatLaw = movement("concat", (d) => {
  const shape = d.shape(1, 4),
    axis = drawAxis(d, shape),
    at = axis < 0 ? axis + shape.length : axis;
  const shapes = Array.from({ length: d.int(1, 3) }, () => shape.with(at, d.int(0, 3)));
  return { shapes, call: (...xs) => concat(xs, axis) };
});

/**
 * Tensors of one shape stacked along a new axis, which stands at `axis` of the result.
 *
 * Shapes: K times [...L, ...R] -> [...L, K, ...R].
 *
 * @throws {TypeError} if there is no tensor, or shapes or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, stack, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = stack([tensor([1, 2, 3]), tensor([4, 5, 6])], 1);
 * assertEquals([...y.shape], [3, 2]);
 * assertEquals([...await read(y)], [1, 4, 2, 5, 3, 6]);
 * ```
 */
export function stack<const T extends readonly AnyTensor[], const A extends number>(
  tensors: Arg<OneDType<"stack", DTypesOf<T>, Stack<ShapesOf<T>, A>>, T>,
  axis: A,
): Tensor<Ok<Stack<ShapesOf<T>, A>>, T[0]["dtype"]> {
  const nodes = (tensors as readonly AnyTensor[]).map(nodeOf);
  const shape = unwrap(stackShape(nodes.map((n) => n.shape), axis));
  unwrap(oneDType("stack", nodes.map((n) => n.dtype)));
  const at = unwrap(axisIndex("stack", shape, axis));
  return wrap(settle(concatNode(nodes.map((n) => reshape(n, shape.with(at, 1))), at)));
}

export const stackLaw = movement("stack", (d) => {
  const shape = d.shape(0, 3), axis = d.int(-shape.length - 1, shape.length);
  const shapes = new Array<number[]>(d.int(1, 3)).fill(shape);
  return { shapes, call: (...xs) => stack(xs, axis) };
});

/** One tensor a shape. */
export type Parts<L, D> = { readonly [K in keyof L]: Tensor<L[K], D> };

/**
 * A tensor cut along an axis into parts of the given sizes. The parts are views.
 *
 * Shapes: [..., A + B + …, ...] -> [..., A, ...], [..., B, ...] ….
 *
 * @throws {TypeError} if there is no such axis, or the sizes do not add up to it.
 *
 * @example
 * ```ts
 * import { read, split, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const [left, right] = split(tensor([[1, 2, 3], [4, 5, 6]]), [1, 2], 1);
 * assertEquals([...await read(left)], [1, 4]);
 * assertEquals([...await read(right)], [2, 3, 5, 6]);
 * ```
 */
export function split<
  S extends Shape,
  D extends DType,
  const P extends readonly number[],
  const A extends number,
>(
  x: Tensor<S, D>,
  sizes: Arg<Split<S, P, A>, P>,
  axis: A,
): Parts<Ok<Split<S, P, A>>, D> {
  const n = nodeOf(x), list = sizes as readonly number[];
  unwrap(freshShape(list));
  unwrap(splitShape(n.shape, list, axis));
  const at = unwrap(axisIndex("split", n.shape, axis));
  let from = 0;
  const parts = list.map((size) => wrap(settle(sliceAxis(n, at, from, from += size))));
  return parts as unknown as Parts<Ok<Split<S, P, A>>, D>;
}

export const splitLaw = movement("split", (d) => {
  const shape = d.shape(1, 4), axis = drawAxis(d, shape), size = shape.at(axis)!;
  const first = d.int(0, size);
  return { shapes: [shape], call: (x) => split(x!, [first, size - first], axis) };
});
