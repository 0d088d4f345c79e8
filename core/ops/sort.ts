/** Axes in order. */
import type { Numeric } from "../dtype.ts";
import { settle } from "../execute.ts";
import { sliceAxis } from "../graph/build.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  type Ok,
  type OverAxis,
  type Resize,
  resizeShape,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectNumbers } from "./expect.ts";
import type { Law } from "./law.ts";
import { drawAxis } from "./movement.ts";
import { orderOf } from "./order.ts";
import { takenAlong } from "./take_along_axis.ts";

/**
 * The entries of an axis in ascending order.
 *
 * Shapes: [..., N, ...] -> [..., N, ...]. -0 and 0 are equal and keep their order; NaN comes last. The gradient of an entry
 * goes to where it stood. Exact on every backend; a bitonic network, whose cost `argsort` states.
 *
 * @throws {TypeError} if there is no such axis.
 *
 * @example
 * ```ts
 * import { read, sort, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(sort(tensor([3, NaN, -1, 2]), 0))], [-1, 2, 3, NaN]);
 * ```
 */
export function sort<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"sort", S, A>, A>,
): Tensor<S, D> {
  const n = nodeOf(x), at = unwrap(axisIndex("sort", n.shape, axis as number));
  expectNumbers("sort", n);
  return wrap(settle(takenAlong(n, orderOf(n, at), at)));
}

/**
 * Where the entries of an axis stand that come first, second … in ascending order.
 *
 * Shapes: [..., N, ...] -> [..., N, ...] of i32. Of equal entries the first comes first; -0 equals 0; NaN comes last.
 *
 * Units: an axis of N entries, grown to the next power of two 2^k, takes k(k+1)/2 kernels over twice its elements: 55 for
 * 1,024 entries, 120 for 32,768.
 *
 * @throws {TypeError} if there is no such axis.
 *
 * @example
 * ```ts
 * import { argsort, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(argsort(tensor([3, 1, 3, 2]), 0))], [1, 3, 0, 2]);
 * ```
 */
export function argsort<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"argsort", S, A>, A>,
): Tensor<S, "i32"> {
  const n = nodeOf(x), at = unwrap(axisIndex("argsort", n.shape, axis as number));
  expectNumbers("argsort", n);
  return wrap(settle(orderOf(n, at)));
}

/** The k greatest along an axis, and where they stood. */
export interface TopK<S, D> {
  /** The elements. */
  readonly values: Tensor<S, D>;
  /** Where they stood. */
  readonly indices: Tensor<S, "i32">;
}

/**
 * The k greatest entries of an axis, greatest first, and where they stood.
 *
 * Shapes: [..., N, ...] -> [..., k, ...], values and indices. Of equal entries the first comes first; NaN counts as less
 * than everything. The whole axis is sorted, whatever k is; `argsort` states the cost.
 *
 * @throws {TypeError} if there is no such axis, or it has fewer than k entries.
 *
 * @example
 * ```ts
 * import { read, tensor, topK } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const { values, indices } = topK(tensor([1, 5, 3, 5]), 3, 0);
 * assertEquals([...await read(values)], [5, 5, 3]);
 * assertEquals([...await read(indices)], [1, 3, 2]);
 * ```
 */
export function topK<
  S extends Shape,
  D extends Numeric,
  const N extends number,
  const A extends number,
>(
  x: Tensor<S, D>,
  k: Arg<Resize<"topK", S, A, N>, N>,
  axis: A,
): TopK<Ok<Resize<"topK", S, A, N>>, D> {
  const n = nodeOf(x), count = k as number;
  unwrap(resizeShape("topK", n.shape, axis, count));
  expectNumbers("topK", n);
  const at = unwrap(axisIndex("topK", n.shape, axis));
  const indices = settle(sliceAxis(orderOf(n, at, true), at, 0, count));
  return { values: wrap(settle(takenAlong(n, indices, at))), indices: wrap(indices) };
}

/** A law over an axis of numbers, ties, NaN and infinities among them. */
function sorting(law: string, call: (x: AnyTensor, axis: number, k: number) => unknown): Law {
  return {
    law,
    draw: (d) => {
      const dtype = d.oneOf(["f32", "f32", "f16", "bf16", "i32", "u32"] as const);
      const domain = d.oneOf([[-3, 3], [-1e9, 1e9]] as const), drawn = d.shape(1, 3);
      const axis = drawAxis(d, drawn), shape = drawn.with(axis, d.int(0, 11));
      const k = d.int(0, shape.at(axis)!);
      const inputs = [{ shape, dtype, domain, special: true }];
      return { inputs, call: (x) => call(x!, axis, k), smooth: domain[1] === 3, exact: true };
    },
  };
}

export const sortLaw = sorting("sort", (x, axis) => sort(x, axis));
export const argsortLaw = sorting("argsort", (x, axis) => argsort(x, axis));
export const topKLaw = sorting("topK", (x, axis, k) => topK(x, k, axis));
