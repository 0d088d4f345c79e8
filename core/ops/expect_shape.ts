/** Sizes that are known only at run time, given a name or checked. */
import type { DType } from "../dtype.ts";
import {
  type Arg,
  type Dim,
  type Expect,
  expectShapeOf,
  freshShape,
  type Shape,
  type Size,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";

/**
 * The tensor itself, checked at run time to have this shape, and typed by it. A name stands for any size; equal names
 * must stand for equal sizes.
 *
 * Shapes: [...S] -> the shape given.
 *
 * @throws {TypeError} if ranks differ, a number differs from its axis, or one name would stand for two sizes.
 *
 * @example
 * ```ts
 * import { expectShape, fromArray, type Tensor } from "@motian/motian";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const rows: number = 3;
 * const x = fromArray(new Float32Array(6), [rows, 2]);
 * const y: Tensor<["batch", 2]> = expectShape(x, ["batch", 2]);
 * assertEquals([...y.shape], [3, 2]);
 * assertThrows(() => expectShape(x, [4, 2]), TypeError, "axes must match (3 and 4)");
 * ```
 */
export function expectShape<S extends Shape, D extends DType, const T extends Shape>(
  x: Tensor<S, D>,
  shape: Arg<Expect<S, T>, readonly [...T]>,
): Tensor<T, D> {
  const n = nodeOf(x);
  unwrap(expectShapeOf(n.shape, shape as readonly Dim[]));
  return wrap(n);
}

/**
 * A run-time number as the size of a named axis: what makes tensors of named shapes.
 *
 * @throws {TypeError} if it is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { size, type Tensor, zeros } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x: Tensor<["batch", 3]> = zeros([size("batch", 2), 3]);
 * assertEquals([...x.shape], [2, 3]);
 * ```
 */
export function size<const N extends string>(_name: N, n: number): Size<N> {
  unwrap(freshShape([n]));
  return n as Size<N>;
}
