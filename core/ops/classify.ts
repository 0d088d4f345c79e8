/** Tests of floats by their bits: exact on every backend, where comparisons of NaN need not be. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import type { Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, row } from "./elementwise.ts";

const INFINITY_BITS = 0x7f800000;
const sizeBits = (x: Expr): Expr => X.and(X.bitcast(x, "u32"), 0x7fffffff);
const options = { result: "bool", exact: true } as const;

export const isNaNRow = row("isNaN", (x) => X.gt(sizeBits(x), INFINITY_BITS), options);
export const isFiniteRow = row("isFinite", (x) => X.gt(INFINITY_BITS, sizeBits(x)), options);
export const isInfiniteRow = row("isInfinite", (x) => X.eq(sizeBits(x), INFINITY_BITS), options);

/**
 * Whether each element is not a number.
 *
 * Shapes: [...S] -> [...S].
 *
 * @example
 * ```ts
 * import { isNaN, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(isNaN(tensor([1, NaN, -Infinity])))], [0, 1, 0]);
 * ```
 */
export function isNaN<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, "bool"> {
  return elementwise(isNaNRow, x);
}

/**
 * Whether each element is neither NaN nor an infinity.
 *
 * Shapes: [...S] -> [...S].
 *
 * @example
 * ```ts
 * import { isFinite, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(isFinite(tensor([1, NaN, -Infinity])))], [1, 0, 0]);
 * ```
 */
export function isFinite<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, "bool"> {
  return elementwise(isFiniteRow, x);
}

/**
 * Whether each element is infinity or -infinity.
 *
 * Shapes: [...S] -> [...S].
 *
 * @example
 * ```ts
 * import { isInfinite, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(isInfinite(tensor([1, NaN, -Infinity])))], [0, 0, 1]);
 * ```
 */
export function isInfinite<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, "bool"> {
  return elementwise(isInfiniteRow, x);
}
