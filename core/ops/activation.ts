/** Activations. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { clamp, polynomial } from "../expr/polynomial.ts";
import type { Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, row } from "./elementwise.ts";
import { log1pOf } from "./exponential.ts";

/** exp(-|x|), never above 1. At 0 its slope is that of exp(x), and the sides below are chosen alike. */
const decay = (x: Expr): Expr => X.expDown(X.select(X.gt(x, 0), X.neg(x), x));
const half = (x: Expr, f: Expr): Expr => X.mul(X.mul(x, 0.5), X.add(f, 1));

function sigmoidOf(x: Expr): Expr {
  const t = decay(x);
  return X.div(X.select(X.gt(x, 0), 1, t), X.add(t, 1));
}

export const reluRow = row("relu", (x) => X.max(0, x));
export const sigmoidRow = row("sigmoid", sigmoidOf, { domain: [-6, 6] });
export const siluRow = row("silu", (x) => X.mul(x, sigmoidOf(x)), { domain: [-6, 6] });
export const softplusRow = row(
  "softplus",
  (x) => X.add(X.select(X.gt(x, 0), x, 0), log1pOf(decay(x))),
  { domain: [-6, 6] },
);
/**
 * The normal distribution function as 1/2 + t P(t²) / Q(t²), t = x within ±5.5, where it is 0 and 1 to the bit: off by 2e-7 at
 * most, its slope by 3e-7 (6e-7 of x Φ' beyond). Through erf and exp gelu took three times as long, and its slope six.
 *
 * Coefficients: minimax (Lawson's reweighted least squares).
 */
function normalCdf(x: Expr): Expr {
  const t = clamp(x, -5.5, 5.5), z = X.mul(t, t);
  const p = polynomial(z, [
    0.398942232131958,
    0.03385232016444206,
    0.004677210934460163,
    0.0001688183838268742,
    6.351709089358337e-6,
    2.2747411065893175e-8,
  ]);
  const q = polynomial(z, [
    1,
    0.25152111053466797,
    0.028645608574151993,
    0.0018844048026949167,
    7.364328484982252e-5,
    1.1974165090578026e-6,
  ]);
  return clamp(X.add(X.div(X.mul(t, p), q), 0.5), 0, 1);
}
export const geluRow = row("gelu", (x) => X.mul(x, normalCdf(x)));
export const geluTanhRow = row("geluTanh", (x) => {
  const cubic = X.mul(X.mul(x, x), X.mul(x, 0.044715));
  return half(x, X.tanh(X.mul(X.add(x, cubic), Math.sqrt(2 / Math.PI))));
});

/**
 * The positive part: max(x, 0).
 *
 * Shapes: [...S] -> [...S]. NaN stays NaN. The derivative at 0 is 0.
 *
 * @example
 * ```ts
 * import { read, relu, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(relu(tensor([-1, 2])))], [0, 2]);
 * ```
 */
export function relu<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(reluRow, x);
}

/**
 * Logistic function: 1/(1 + exp(-x)).
 *
 * Shapes: [...S] -> [...S]. Written so that neither the value nor the derivative overflows: the infinities give 0 and 1.
 *
 * @example
 * ```ts
 * import { read, sigmoid, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(sigmoid(tensor([2])));
 * assertAlmostEquals(y!, 1 / (1 + Math.exp(-2)), 1e-6);
 * ```
 */
export function sigmoid<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(sigmoidRow, x);
}

/**
 * Sigmoid-weighted linear unit: x/(1 + exp(-x)).
 *
 * Shapes: [...S] -> [...S]. -infinity gives NaN.
 *
 * @example
 * ```ts
 * import { read, silu, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(silu(tensor([2])));
 * assertAlmostEquals(y!, 2 / (1 + Math.exp(-2)), 1e-6);
 * ```
 */
export function silu<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(siluRow, x);
}

/**
 * Smooth positive part: log(1 + exp(x)).
 *
 * Shapes: [...S] -> [...S]. Exact for large |x| too; the infinities give 0 and infinity.
 *
 * @example
 * ```ts
 * import { read, softplus, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(softplus(tensor([2])));
 * assertAlmostEquals(y!, Math.log1p(Math.exp(2)), 1e-6);
 * ```
 */
export function softplus<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(softplusRow, x);
}

/**
 * Gaussian error linear unit: x/2 · (1 + erf(x/√2)).
 *
 * Shapes: [...S] -> [...S]. The exact one, as in BERT; below -5 the small result has lost its digits. -infinity gives NaN.
 *
 * Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016
 *
 * @example
 * ```ts
 * import { gelu, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(gelu(tensor([1])));
 * assertAlmostEquals(y!, 0.8413447461, 1e-6);
 * ```
 */
export function gelu<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(geluRow, x);
}

/**
 * Approximate `gelu`: x/2 · (1 + tanh(√(2/π)(x + 0.044715x³))).
 *
 * Shapes: [...S] -> [...S]. -infinity gives NaN.
 *
 * Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016
 *
 * @example
 * ```ts
 * import { geluTanh, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(geluTanh(tensor([1])));
 * assertAlmostEquals(y!, 0.8411919906, 1e-6);
 * ```
 */
export function geluTanh<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(geluTanhRow, x);
}
