/** Repetition without memory. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { broadcastTo as broadcastNode } from "../graph/build.ts";
import {
  type Arg,
  type BroadcastTo,
  broadcastToShape,
  type Dim,
  freshShape,
  type Lengths,
  type Ok,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { movement } from "./movement.ts";

/**
 * Axes of size 1 repeated, and new axes in front. It takes no memory until something other than an op needs it.
 *
 * Shapes: [...S] -> the shape given, which S broadcasts to.
 *
 * @throws {TypeError} if an axis is neither 1 nor equal to the target's.
 *
 * @example
 * ```ts
 * import { broadcastTo, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(broadcastTo(tensor([1, 2]), [2, 2]))], [1, 2, 1, 2]);
 * ```
 */
export function broadcastTo<S extends Shape, D extends DType, const V extends readonly Dim[]>(
  x: Tensor<S, D>,
  shape: Arg<BroadcastTo<S, [...V]>, Lengths<V>>,
): Tensor<Ok<BroadcastTo<S, [...V]>>, D> {
  const n = nodeOf(x), target = unwrap(broadcastToShape(n.shape, shape as readonly number[]));
  return wrap(settle(broadcastNode(n, unwrap(freshShape(target)))));
}

export const broadcastToLaw = movement("broadcastTo", (d) => {
  const target = d.shape(0, 4), from = d.int(0, target.length);
  const shape = target.slice(from).map((n) => d.int(0, 1) ? 1 : n);
  return { shapes: [shape], call: (x) => broadcastTo(x!, target) };
});
