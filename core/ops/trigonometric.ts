/** Sine and cosine. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, row } from "./elementwise.ts";

const special = [NaN, Infinity, -Infinity, 0, -0, 1e-40, 100];

export const sinRow = row("sin", X.sin, { domain: [-7, 7], special });
export const cosRow = row("cos", X.cos, { domain: [-7, 7], special });

/**
 * Sine of every element.
 *
 * Shapes: [...S] -> [...S]. Units: radians. NaN and the infinities give NaN. The error is at most 1e-6 up to |x| = 1000
 * and grows with |x| beyond.
 *
 * @example
 * ```ts
 * import { read, sin, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(sin(tensor([Math.PI / 6])));
 * assertAlmostEquals(y!, 0.5, 1e-6);
 * ```
 */
export function sin<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(sinRow, x);
}

/**
 * Cosine of every element.
 *
 * Shapes: [...S] -> [...S]. Units: radians. NaN and the infinities give NaN. The error is at most 1e-6 up to |x| = 1000
 * and grows with |x| beyond.
 *
 * @example
 * ```ts
 * import { cos, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(cos(tensor([Math.PI / 3])));
 * assertAlmostEquals(y!, 0.5, 1e-6);
 * ```
 */
export function cos<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(cosRow, x);
}
