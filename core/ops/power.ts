/** Powers and roots. */
import type { Float, Numeric } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import type { Arg, Broadcast, Ok, Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, type Operand, type Row, row } from "./elementwise.ts";

/** Whole exponents up to this size are products; beyond, the exponential is as exact. */
const UNROLLED = 32;

/** xⁿ by squaring. */
function wholePower(x: Expr, n: number): Expr {
  if (n < 0) return X.div(1, wholePower(x, -n));
  if (n === 0) return X.constant(1, x.dtype);
  const half = wholePower(x, n >> 1), even = X.mul(half, half);
  return n % 2 ? X.mul(even, x) : even;
}

/** exp(y log |x|) with C's sign: that of x where y is odd; NaN where x < 0 and y is no whole number. */
function power(x: Expr, y: Expr): Expr {
  const zero = X.eq(x, 0), size = X.abs(X.select(zero, 1, x));
  const magnitude = X.exp(X.mul(y, X.log(size)));
  const ofZero = X.select(X.gt(y, 0), 0, Infinity);
  const halved = X.mul(y, 0.5), odd = X.not(X.eq(X.floor(halved), halved));
  const whole = X.eq(X.floor(y), y);
  const negative = X.not(X.eq(X.and(X.bitcast(x, "u32"), 0x80000000), 0));
  const unsigned = X.select(zero, ofZero, magnitude);
  const signed = X.select(X.and(negative, X.and(whole, odd)), X.neg(unsigned), unsigned);
  const defined = X.or(whole, X.ge(x, 0));
  return X.select(X.eq(y, 0), 1, X.select(defined, signed, NaN));
}

export const squareRow = row("square", (x) => X.mul(x, x), {
  dtypes: ["f32", "f32", "f16", "bf16", "i32", "u32"],
});
export const reciprocalRow = row("reciprocal", (x) => X.div(1, x), { domain: [0.3, 3] });
export const sqrtRow = row("sqrt", X.sqrt, { domain: [0.1, 9] });
export const rsqrtRow = row("rsqrt", (x) => X.div(1, X.sqrt(x)), { domain: [0.1, 9] });
export const powRow = row("pow", power, {
  domain: [[0.2, 3], [-3, 3]],
  special: [0, -0, 1, -1, -2, 3, NaN],
  tolerance: 2e-5,
});
export const cubeRow = powerRow(3);
export const inverseSquareRow = powerRow(-2);

function powerRow(n: number): Row {
  return row(`pow${n}`, (x) => wholePower(x, n), { domain: [0.5, 2] });
}

/**
 * x² of every element; integers wrap.
 *
 * Shapes: [...S] -> [...S].
 *
 * @example
 * ```ts
 * import { read, square, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(square(tensor([-3, 0.5])))], [9, 0.25]);
 * ```
 */
export function square<S extends Shape, D extends Numeric>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(squareRow, x);
}

/**
 * 1/x of every element.
 *
 * Shapes: [...S] -> [...S]. 0 gives infinity, -0 -infinity, the infinities 0 and -0.
 *
 * @example
 * ```ts
 * import { read, reciprocal, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(reciprocal(tensor([4, 0])))], [0.25, Infinity]);
 * ```
 */
export function reciprocal<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(reciprocalRow, x);
}

/**
 * Square root of every element.
 *
 * Shapes: [...S] -> [...S]. Negative numbers give NaN, -0 stays -0. The derivative 1/(2√x) is infinite at 0: add a small
 * number first where zeros may come.
 *
 * @example
 * ```ts
 * import { read, sqrt, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(sqrt(tensor([9, 0, -1])))], [3, 0, NaN]);
 * ```
 */
export function sqrt<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(sqrtRow, x);
}

/**
 * 1/√x of every element.
 *
 * Shapes: [...S] -> [...S]. 0 gives infinity, negative numbers NaN, infinity 0.
 *
 * @example
 * ```ts
 * import { read, rsqrt, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(rsqrt(tensor([4, 0.25])))], [0.5, 2]);
 * ```
 */
export function rsqrt<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(rsqrtRow, x);
}

/**
 * x to the power y, element by element.
 *
 * A whole number up to 32 as y is computed as a product. Any other y is exp(y log |x|), so the relative error grows as
 * |y log x|, and signs follow C's pow: x < 0 gives NaN unless y is whole. x⁰ is 1 for every x, NaN too.
 *
 * Shapes: [...A], [...B] -> their broadcast. Gradients: at x = 0 the derivative by x is that of the product, or, of the
 * exponential, taken as 0 (right for y > 1); the derivative by y is NaN where x < 0.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { pow, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(pow(tensor([2, -3]), 3))], [8, -27]);
 * const [root] = await read(pow(tensor([2]), tensor([0.5])));
 * assertAlmostEquals(root!, Math.SQRT2, 1e-6);
 * ```
 */
export function pow<A extends Shape, D extends Float, B extends Shape = A>(
  x: Tensor<A, D>,
  y: Arg<Broadcast<"pow", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"pow", A, B>>, D> {
  const whole = typeof y === "number" && Number.isInteger(y) && Math.abs(y) <= UNROLLED;
  return whole ? elementwise(powerRow(y), x) : elementwise(powRow, x, y);
}
