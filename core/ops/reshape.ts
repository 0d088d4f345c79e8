/** The same elements under another shape. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { reshape as reshapeNode } from "../graph/build.ts";
import {
  type Arg,
  type Dim,
  freshShape,
  type Lengths,
  type Ok,
  type Reshape,
  reshapeShape,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { movement } from "./movement.ts";

/**
 * The same elements, row by row, under another shape. One axis may be -1: what is left.
 *
 * Shapes: [...S] -> the shape given, of as many elements.
 *
 * @throws {TypeError} if the elements do not fit, or more than one axis is -1.
 *
 * @example
 * ```ts
 * import { read, reshape, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = reshape(tensor([[1, 2, 3], [4, 5, 6]]), [3, -1]);
 * assertEquals([...y.shape], [3, 2]);
 * assertEquals([...await read(y)], [1, 2, 3, 4, 5, 6]);
 * ```
 */
export function reshape<S extends Shape, D extends DType, const V extends readonly Dim[]>(
  x: Tensor<S, D>,
  shape: Arg<Reshape<S, [...V]>, Lengths<V>>,
): Tensor<Ok<Reshape<S, [...V]>>, D> {
  const n = nodeOf(x), target = shape as readonly number[];
  return wrap(settle(reshapeNode(n, unwrap(freshShape(unwrap(reshapeShape(n.shape, target)))))));
}

export const reshapeLaw = movement("reshape", (d) => {
  const shape = d.shape(0, 4), at = d.int(0, shape.length);
  // Two axes joined, one put in, or the last one left to be worked out.
  const joined = shape.length > 1 && d.int(0, 1)
    ? [...shape.slice(0, -2), shape.at(-2)! * shape.at(-1)!]
    : shape.toSpliced(at, 0, 1);
  const open = joined.slice(0, -1).includes(0) ? joined : joined.with(-1, -1);
  const target = d.oneOf([joined, open]);
  return { shapes: [shape], call: (x) => reshape(x!, target) };
});
