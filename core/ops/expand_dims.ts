/** Axes of size 1, put in and taken out. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { reshape } from "../graph/build.ts";
import {
  type Arg,
  type Expand,
  expandShape,
  type Ok,
  type Shape,
  type Squeeze,
  squeezeShape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { movement } from "./movement.ts";

/**
 * A new axis of size 1, which stands at `axis` of the result.
 *
 * Shapes: [...L, ...R] -> [...L, 1, ...R].
 *
 * @throws {TypeError} if the result has no such axis.
 *
 * @example
 * ```ts
 * import { expandDims, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, 2, 3]);
 * assertEquals([...expandDims(x, 0).shape], [1, 3]);
 * assertEquals([...expandDims(x, -1).shape], [3, 1]);
 * ```
 */
export function expandDims<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Expand<S, A>, A>,
): Tensor<Ok<Expand<S, A>>, D> {
  const n = nodeOf(x);
  return wrap(settle(reshape(n, unwrap(expandShape(n.shape, axis as number)))));
}

export const expandDimsLaw = movement("expandDims", (d) => {
  const shape = d.shape(0, 3), axis = d.int(-shape.length - 1, shape.length);
  return { shapes: [shape], call: (x) => expandDims(x!, axis) };
});

/**
 * The tensor without an axis of size 1.
 *
 * Shapes: [...L, 1, ...R] -> [...L, ...R].
 *
 * @throws {TypeError} if there is no such axis, or its size is not 1.
 *
 * @example
 * ```ts
 * import { squeeze, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...squeeze(tensor([[1, 2, 3]]), 0).shape], [3]);
 * ```
 */
export function squeeze<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Squeeze<S, A>, A>,
): Tensor<Ok<Squeeze<S, A>>, D> {
  const n = nodeOf(x);
  return wrap(settle(reshape(n, unwrap(squeezeShape(n.shape, axis as number)))));
}

export const squeezeLaw = movement("squeeze", (d) => {
  const rest = d.shape(0, 3), axis = d.int(0, rest.length);
  return { shapes: [rest.toSpliced(axis, 0, 1)], call: (x) => squeeze(x!, axis) };
});
