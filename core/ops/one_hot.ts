/** Ids as rows of 0 with one 1. */
import type { Int } from "../dtype.ts";
import { settle } from "../execute.ts";
import * as X from "../expr/expr.ts";
import { cast, compute, iota, reshape } from "../graph/build.ts";
import { freshShape, type Ok, type OneHot, oneHotShape, type Shape, unwrap } from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectIds } from "./expect.ts";
import { integers, type Law } from "./law.ts";

/**
 * 1 where the last axis equals the id, else 0.
 *
 * Shapes: [...I] -> [...I, size]. An id outside 0..size-1 gives a row of 0.
 *
 * @throws {TypeError} if the size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { oneHot, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(oneHot(tensor([1, 3], "i32"), 3))], [0, 1, 0, 0, 0, 0]);
 * ```
 */
export function oneHot<I extends Shape, E extends Int, const N extends number>(
  ids: Tensor<I, E>,
  size: N,
): Tensor<Ok<OneHot<I, N>>> {
  const i = nodeOf(ids), shape = unwrap(freshShape(unwrap(oneHotShape(i.shape, size))));
  expectIds("oneHot", i);
  const rows = reshape(cast(i, "i32"), [...i.shape, 1]), columns = iota(shape.at(-1)!);
  return wrap(settle(compute((id, k) => X.cast(X.eq(id, k), "f32"), [rows, columns])));
}

export const oneHotLaw: Law = {
  law: "oneHot",
  draw: (d) => {
    const size = d.int(0, 4);
    return {
      inputs: [integers(d.shape(0, 3), [-1, size])],
      call: (ids) => oneHot(ids as Tensor<Shape, Int>, size),
      smooth: false,
      exact: true,
    };
  },
};
