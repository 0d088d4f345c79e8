/** Random choices. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { broadcastTo, cast, compute, constant } from "../graph/build.ts";
import { argmax } from "../ops/arg_reduce.ts";
import { orderOf } from "../ops/order.ts";
import {
  type Arg,
  type BroadcastTo,
  broadcastToShape,
  type Dim,
  type Lengths,
  type Ok,
  type OverAxis,
  overAxis,
  type Reduce,
  type Shape,
  type Size,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { type Key, keyNode } from "./key.ts";
import { mapBits, unit } from "./threefry.ts";
import { openUnit } from "./uniform.ts";

/**
 * Each element is true with probability p.
 *
 * Shapes: [2], [...P] -> [...V]; p is a number, or a tensor that broadcasts to V. The same on every backend. NaN gives
 * false, 1 and more always true.
 *
 * @throws {TypeError} if p does not broadcast to the shape.
 * @throws {RangeError} if a size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { bernoulli, key, read } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const hits = await read(bernoulli(key(1), 0.3, [10000]));
 * assertAlmostEquals(hits.reduce((a, b) => a + b) / 10000, 0.3, 0.02);
 * ```
 */
export function bernoulli<const V extends readonly Dim[], P extends Shape = []>(
  key: Key,
  p: Arg<BroadcastTo<P, [...V]>, Tensor<P> | number>,
  shape: Lengths<V>,
): Tensor<[...V], "bool"> {
  const sizes = shape as readonly number[], given = p as Tensor<P> | number;
  const chance = typeof given === "number" ? constant(given) : nodeOf(given);
  unwrap(broadcastToShape(chance.shape, sizes));
  const drawn = mapBits(keyNode("bernoulli", key), sizes, "f32", unit);
  return wrap(settle(compute(X.gt, [broadcastTo(chance, sizes), drawn], "bool")));
}

/** -log(-log u): added to logits, the greatest sum is a draw from their softmax. */
const gumbel = (word: Expr): Expr => X.neg(X.log(X.neg(X.log(openUnit(word)))));

/**
 * An index along the axis for every place beside it, each as likely as the softmax of the logits says.
 *
 * Shapes: [2], [...S] -> S without the axis. A logit of -infinity is never drawn unless all are. Where two sums are
 * equal but for rounding, backends may draw differently.
 *
 * Source: Gumbel, Statistical Theory of Extreme Values, 1954 (the largest of logits and Gumbel noise)
 *
 * @throws {TypeError} if the axis is outside the shape.
 * @throws {RangeError} if the axis is empty.
 *
 * @example
 * ```ts
 * import { categorical, key, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const sure = tensor([[0, -Infinity], [-Infinity, 0]]);
 * assertEquals([...await read(categorical(key(1), sure, 1))], [0, 1]);
 * ```
 */
export function categorical<S extends Shape, D extends Float, const A extends number>(
  key: Key,
  logits: Tensor<S, D>,
  axis: Arg<OverAxis<"categorical", S, A>, A>,
): Tensor<Ok<Reduce<"argmax", S, A>>, "i32"> {
  const n = cast(nodeOf(logits), "f32"), along = axis as number;
  unwrap(overAxis("categorical", n.shape, along));
  const noise = mapBits(keyNode("categorical", key), n.shape, "f32", gumbel);
  const chosen: AnyTensor = argmax(wrap(settle(compute(X.add, [n, noise]))), along);
  return chosen;
}

/**
 * 0, 1, 2 … n - 1 in random order, every order equally likely but for equal random words (one pair in 2^32).
 *
 * Shapes: [2] -> [N]. The same on every backend. To shuffle rows, gather them by it.
 *
 * @throws {RangeError} if n is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { key, permutation, read } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const order = await read(permutation(key(1), 5));
 * assertEquals([...order].sort(), [0, 1, 2, 3, 4]);
 * ```
 */
export function permutation<const N extends Dim>(
  key: Key,
  n: (N & number) | Size<N>,
): Tensor<[N], "i32"> {
  const words = mapBits(keyNode("permutation", key), [n as number], "u32", (word) => word);
  return wrap(settle(orderOf(words, 0)));
}
