/** Random bits, whole numbers and uniform numbers: the same on every backend, bit by bit. */
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { settle } from "../execute.ts";
import type { Dim, Lengths } from "../shape/mod.ts";
import { type Tensor, wrap } from "../tensor.ts";
import { type Key, keyNode } from "./key.ts";
import { mapBits, unit } from "./threefry.ts";

/** The top 23 bits as a number strictly between 0 and 1: the middles of 2^23 equal parts. */
export function openUnit(bits: Expr): Expr {
  return X.mul(X.add(X.cast(X.shr(bits, 9), "f32"), 0.5), 2 ** -23);
}

/**
 * 32 random bits for every element.
 *
 * Shapes: [2] -> [...V]. The same on every backend.
 *
 * @throws {RangeError} if a size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { bits, key, read } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await read(bits(key(1), [4])), await read(bits(key(1), [4])));
 * ```
 */
export function bits<const V extends readonly Dim[]>(
  key: Key,
  shape: Lengths<V>,
): Tensor<[...V], "u32"> {
  const sizes = shape as readonly number[];
  return wrap(settle(mapBits(keyNode("bits", key), sizes, "u32", (word) => word)));
}

/** Options of `uniform`. */
export interface UniformOptions {
  /** The least number; 0 by default. */
  readonly low?: number;
  /** What all numbers are below; 1 by default. */
  readonly high?: number;
}

/**
 * Numbers from `low`, below `high`, all equally likely: low + (high - low)·k/2^24.
 *
 * Shapes: [2] -> [...V]. From 0 to 1 the same bits on every backend, else to the last bit: a GPU may round once where
 * others round twice. Rounding may give `high` itself where the range is not 0 to a power of two.
 *
 * @throws {RangeError} if a size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { key, read, uniform } from "@motian/motian";
 * import { assert } from "@std/assert";
 *
 * const xs = await read(uniform(key(1), [100], { low: -1 }));
 * assert(xs.every((x) => x >= -1 && x < 1));
 * ```
 */
export function uniform<const V extends readonly Dim[]>(
  key: Key,
  shape: Lengths<V>,
  options: UniformOptions = {},
): Tensor<[...V]> {
  const { low = 0, high = 1 } = options, sizes = shape as readonly number[];
  const scaled = (word: Expr): Expr => {
    const wide = X.mul(unit(word), high - low);
    return low === 0 ? wide : X.add(wide, low);
  };
  return wrap(settle(mapBits(keyNode("uniform", key), sizes, "f32", scaled)));
}

/**
 * Whole numbers from `low`, below `high`.
 *
 * Shapes: [2] -> [...V]. The same on every backend. They are remainders of 32 bits: no number is more likely than
 * another by more than (high - low)/2^32.
 *
 * @throws {RangeError} if there is no i32 from low to below high, or a size is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { key, randint, read } from "@motian/motian";
 * import { assert } from "@std/assert";
 *
 * const dice = await read(randint(key(1), [100], 1, 7));
 * assert(dice.every((n) => n >= 1 && n <= 6));
 * ```
 */
export function randint<const V extends readonly Dim[]>(
  key: Key,
  shape: Lengths<V>,
  low: number,
  high: number,
): Tensor<[...V], "i32"> {
  const within = (n: number): boolean => Number.isInteger(n) && n >= -(2 ** 31) && n <= 2 ** 31;
  if (!within(low) || !within(high) || low >= high || high - low === 2 ** 32) {
    throw new RangeError(
      `Cannot draw whole numbers from ${low} below ${high}: low must be less than high, both i32`,
    );
  }
  const place = (word: Expr): Expr => X.add(X.bitcast(X.rem(word, high - low), "i32"), low);
  return wrap(settle(mapBits(keyNode("randint", key), shape as readonly number[], "i32", place)));
}
