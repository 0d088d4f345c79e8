/** Signs, sizes and limits. */
import type { Numeric } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import type { Arg, Broadcast, Ok, Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, type Operand, row } from "./elementwise.ts";

const dtypes = ["f32", "f32", "f32", "f16", "bf16", "i32", "u32"] as const;

/** -1, 0 or 1, by comparisons alone: no slope, and -0 and NaN come through. */
function signOf(x: Expr): Expr {
  const zero = x.dtype === "f32" ? X.bitcast(X.bitcast(x, "u32"), "f32") : x;
  return X.select(X.gt(x, 0), 1, X.select(X.gt(0, x), -1, zero));
}

export const negRow = row("neg", X.neg, { dtypes });
export const absRow = row("abs", X.abs, { dtypes });
export const signRow = row("sign", signOf, { dtypes });
export const maximumRow = row("maximum", X.max, { dtypes });
export const minimumRow = row("minimum", X.min, { dtypes });
export const clampRow = row("clamp", (x, low, high) => X.min(X.max(x, low), high), {
  dtypes,
  domain: [[-3, 3], [-2, 0], [0, 2]],
});

/**
 * -x of every element; integers wrap.
 *
 * Shapes: [...S] -> [...S]. 0 gives -0.
 *
 * @example
 * ```ts
 * import { neg, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(neg(tensor([1, -2])))], [-1, 2]);
 * ```
 */
export function neg<S extends Shape, D extends Numeric>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(negRow, x);
}

/**
 * Absolute value of every element.
 *
 * Shapes: [...S] -> [...S]. The least i32 stays itself. The derivative at 0 is 0.
 *
 * @example
 * ```ts
 * import { abs, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(abs(tensor([1, -2])))], [1, 2]);
 * ```
 */
export function abs<S extends Shape, D extends Numeric>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(absRow, x);
}

/**
 * -1, 0 or 1: the sign of every element.
 *
 * Shapes: [...S] -> [...S]. -0 and NaN stay what they are. The derivative is 0.
 *
 * @example
 * ```ts
 * import { read, sign, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(sign(tensor([5, 0, -0.1])))], [1, 0, -1]);
 * ```
 */
export function sign<S extends Shape, D extends Numeric>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(signRow, x);
}

/**
 * The greater of two elements.
 *
 * Shapes: [...A], [...B] -> their broadcast. NaN if either is NaN (on `webgpu`, either of the two). Where both are
 * equal the gradient goes to `a`.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { maximum, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(maximum(tensor([1, 5]), tensor([3, 2])))], [3, 5]);
 * ```
 */
export function maximum<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"maximum", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"maximum", A, B>>, D> {
  return elementwise(maximumRow, a, b);
}

/**
 * The lesser of two elements.
 *
 * Shapes: [...A], [...B] -> their broadcast. NaN if either is NaN (on `webgpu`, either of the two). Where both are
 * equal the gradient goes to `a`.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { minimum, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(minimum(tensor([1, 5]), 3))], [1, 3]);
 * ```
 */
export function minimum<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"minimum", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"minimum", A, B>>, D> {
  return elementwise(minimumRow, a, b);
}

/**
 * Every element, brought into low..high: min(max(x, low), high).
 *
 * Shapes: [...S] -> [...S]. NaN stays NaN. The derivative is 1 from low to high, both included, and 0 outside.
 *
 * @throws {RangeError} if low is above high.
 *
 * @example
 * ```ts
 * import { clamp, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(clamp(tensor([-5, 0.5, 5]), 0, 1))], [0, 0.5, 1]);
 * ```
 */
export function clamp<S extends Shape, D extends Numeric>(
  x: Tensor<S, D>,
  low: number,
  high: number,
): Tensor<S, D> {
  if (!(low <= high)) {
    throw new RangeError(`Cannot clamp to ${low}..${high}: low must not be above high`);
  }
  return elementwise(clampRow, x, low, high);
}
