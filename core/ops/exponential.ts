/** Exponentials and logarithms. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import type { Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, row } from "./elementwise.ts";

/** 2t / (1 - t), t = tanh(x/2), near 0: exact where exp(x) - 1 cancels, and so is its derivative. */
function expm1Of(x: Expr): Expr {
  const t = X.tanh(X.mul(x, 0.5)), near = X.div(X.add(t, t), X.sub(1, t));
  return X.select(X.gt(0.5, X.abs(x)), near, X.sub(X.exp(x), 1));
}

/** log u and what rounding u = 1 + x lost, over u. The correction's slope is 0 but for itself, so the derivative is 1/u. */
export function log1pOf(x: Expr): Expr {
  const u = X.add(x, 1), lost = X.div(X.sub(x, X.sub(u, 1)), u);
  return X.add(X.log(u), X.select(X.gt(0.5, X.abs(x)), lost, 0));
}

export const expRow = row("exp", X.exp);
export const expm1Row = row("expm1", expm1Of);
export const logRow = row("log", X.log, { domain: [0.2, 5] });
export const log1pRow = row("log1p", log1pOf, { domain: [-0.7, 3] });
export const log2Row = row("log2", (x) => X.mul(X.log(x), Math.LOG2E), { domain: [0.2, 5] });

/**
 * e to the power of every element.
 *
 * Shapes: [...S] -> [...S]. NaN stays NaN; from 88.73 on infinity; below -87.3 the result is a denormal number or 0.
 *
 * @example
 * ```ts
 * import { exp, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(exp(tensor([1])));
 * assertAlmostEquals(y!, Math.E, 1e-6);
 * ```
 */
export function exp<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(expRow, x);
}

/**
 * exp(x) - 1 of every element, exact near 0 too.
 *
 * Shapes: [...S] -> [...S]. NaN stays NaN; the infinities give -1 and infinity.
 *
 * @example
 * ```ts
 * import { expm1, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(expm1(tensor([1e-6])));
 * assertAlmostEquals(y!, 1.0000005e-6, 1e-12);
 * ```
 */
export function expm1<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(expm1Row, x);
}

/**
 * Natural logarithm of every element.
 *
 * Shapes: [...S] -> [...S]. 0 and -0 give -infinity, negative numbers NaN, infinity itself. On `webgpu` a denormal number
 * may count as 0.
 *
 * @example
 * ```ts
 * import { log, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(log(tensor([10])));
 * assertAlmostEquals(y!, Math.LN10, 1e-6);
 * ```
 */
export function log<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(logRow, x);
}

/**
 * log(1 + x) of every element, exact near 0 too.
 *
 * Shapes: [...S] -> [...S]. -1 gives -infinity, less NaN, infinity itself.
 *
 * @example
 * ```ts
 * import { log1p, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(log1p(tensor([1e-6])));
 * assertAlmostEquals(y!, 9.999995e-7, 1e-12);
 * ```
 */
export function log1p<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(log1pRow, x);
}

/**
 * Logarithm to base 2 of every element.
 *
 * Shapes: [...S] -> [...S]. As `log`; powers of 2 need not come out whole.
 *
 * @example
 * ```ts
 * import { log2, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(log2(tensor([8])));
 * assertAlmostEquals(y!, 3, 1e-6);
 * ```
 */
export function log2<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(log2Row, x);
}
