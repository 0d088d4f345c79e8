/** Normally distributed numbers, by the inverse of their distribution: one word each, no rejection. */
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { erf } from "../expr/javascript.ts";
import { settle } from "../execute.ts";
import type { Dim, Lengths } from "../shape/mod.ts";
import { type Tensor, wrap } from "../tensor.ts";
import { type Key, keyNode } from "./key.ts";
import { mapBits, unit } from "./threefry.ts";

// Polynomials in w = -log(1 - x²): the middle, and the tails in √w. Highest power first.
const MIDDLE = [
  2.81022636e-8,
  3.43273939e-7,
  -3.5233877e-6,
  -4.39150654e-6,
  0.00021858087,
  -0.00125372503,
  -0.00417768164,
  0.246640727,
  1.50140941,
] as const;
const TAIL = [
  -0.000200214257,
  0.000100950558,
  0.00134934322,
  -0.00367342844,
  0.00573950773,
  -0.0076224613,
  0.00943887047,
  1.00167406,
  2.83297682,
] as const;

const polynomial = (w: Expr, [first, ...rest]: readonly number[]): Expr =>
  rest.reduce<Expr>((p, c) => X.add(X.mul(p, w), c), X.constant(first!));

/**
 * The x whose erf is given, to a few units in the last place.
 *
 * Source: Giles, Approximating the erfinv function, GPU Computing Gems, 2011
 */
export function erfInverse(y: Expr): Expr {
  const w = X.neg(X.log(X.mul(X.sub(1, y), X.add(1, y))));
  const middle = polynomial(X.sub(w, 2.5), MIDDLE);
  const tail = polynomial(X.sub(X.sqrt(w), 3), TAIL);
  return X.mul(X.select(X.gt(5, w), middle, tail), y);
}

/** The numbers whose inverse is taken are the middles of 2^23 equal parts of -1..1. */
const PARTS = 2 ** 23;

/** The middle of part j, a whole f32: every step is exact. */
const middleOf = (j: Expr): Expr => X.mul(X.sub(X.add(j, 0.5), PARTS / 2), 2 / PARTS);

/**
 * Normally distributed numbers of mean 0 and deviation 1.
 *
 * Shapes: [2] -> [...V]. The same on every backend to 1e-6. None is beyond ±5.2, as each comes from 23 bits.
 *
 * @throws {RangeError} if a size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { key, normal, read } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const xs = await read(normal(key(1), [10000]));
 * assertAlmostEquals(xs.reduce((a, b) => a + b) / xs.length, 0, 0.05);
 * ```
 */
export function normal<const V extends readonly Dim[]>(
  key: Key,
  shape: Lengths<V>,
): Tensor<[...V]> {
  const draw = (word: Expr): Expr => {
    return X.mul(erfInverse(middleOf(X.cast(X.shr(word, 9), "f32"))), Math.SQRT2);
  };
  return wrap(settle(mapBits(keyNode("normal", key), shape as readonly number[], "f32", draw)));
}

/** Options of `truncatedNormal`. */
export interface TruncatedNormalOptions {
  /** The least number, in deviations; -2 by default. */
  readonly lower?: number;
  /** The greatest number, in deviations; 2 by default. */
  readonly upper?: number;
}

/**
 * Numbers distributed as the normal ones that lie from `lower` to `upper`.
 *
 * Shapes: [2] -> [...V]. The same on every backend to 1e-6.
 *
 * @throws {RangeError} if lower is not below upper, both are beyond 5 on one side, or a size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { key, read, truncatedNormal } from "@motian/motian";
 * import { assert } from "@std/assert";
 *
 * const xs = await read(truncatedNormal(key(1), [100]));
 * assert(xs.every((x) => Math.abs(x) <= 2));
 * ```
 */
export function truncatedNormal<const V extends readonly Dim[]>(
  key: Key,
  shape: Lengths<V>,
  options: TruncatedNormalOptions = {},
): Tensor<[...V]> {
  const { lower = -2, upper = 2 } = options;
  if (!(lower < upper)) {
    throw new RangeError(`Cannot draw from ${lower} to ${upper}: lower must be below upper`);
  }
  const [from, to] = [lower, upper].map((z) => (erf(z / Math.SQRT2) + 1) * PARTS / 2);
  const first = Math.ceil(from!), count = Math.floor(to!) - first;
  if (count < 1) {
    throw new RangeError(
      `Cannot draw from ${lower} to ${upper}: that is too far out, or too narrow`,
    );
  }
  const draw = (word: Expr): Expr => {
    const j = X.min(X.floor(X.mul(unit(word), count)), count - 1);
    const z = X.mul(erfInverse(middleOf(X.add(j, first))), Math.SQRT2);
    return X.min(X.max(z, lower), upper);
  };
  const n = keyNode("truncatedNormal", key);
  return wrap(settle(mapBits(n, shape as readonly number[], "f32", draw)));
}
