/** Rounding to whole numbers. Every derivative here is 0. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, row } from "./elementwise.ts";

export const floorRow = row("floor", X.floor);
export const ceilRow = row("ceil", X.ceil);
export const roundRow = row("round", X.round);
export const truncRow = row("trunc", (x) => X.select(X.gt(0, x), X.ceil(x), X.floor(x)));

/**
 * The greatest whole number that is not above each element.
 *
 * Shapes: [...S] -> [...S]. NaN, infinities and -0 stay what they are.
 *
 * @example
 * ```ts
 * import { floor, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(floor(tensor([1.5, -1.5])))], [1, -2]);
 * ```
 */
export function floor<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(floorRow, x);
}

/**
 * The least whole number that is not below each element.
 *
 * Shapes: [...S] -> [...S]. NaN, infinities and -0 stay what they are; between -1 and 0 it is -0.
 *
 * @example
 * ```ts
 * import { ceil, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(ceil(tensor([1.5, -1.5])))], [2, -1]);
 * ```
 */
export function ceil<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(ceilRow, x);
}

/**
 * The nearest whole number, of two equally near ones the even one.
 *
 * Shapes: [...S] -> [...S]. NaN, infinities and -0 stay what they are.
 *
 * @example
 * ```ts
 * import { read, round, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(round(tensor([0.6, 1.5, 2.5])))], [1, 2, 2]);
 * ```
 */
export function round<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(roundRow, x);
}

/**
 * Every element without its fraction.
 *
 * Shapes: [...S] -> [...S]. NaN, infinities and -0 stay what they are.
 *
 * @example
 * ```ts
 * import { read, tensor, trunc } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(trunc(tensor([1.7, -1.7])))], [1, -1]);
 * ```
 */
export function trunc<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(truncRow, x);
}
