/**
 * How an op says what its laws are drawn from. The tests read every file of this folder, find the laws that it exports, and
 * hold each on every backend: value, gradient, vmap, jit, result shape. An op with a law needs no test of its own.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import type { AnyTensor } from "../tensor.ts";

/** One drawn input. */
export interface Drawn {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Values are drawn from lo to hi; of integers and bool, whole ones. */
  readonly domain: readonly [lo: number, hi: number];
  /**
   * Special values (NaN, infinities, -0, huge, denormal; of integers, the ends of the type) may be mixed in where only
   * values are compared: all of them, none, or these.
   */
  readonly special: boolean | readonly number[];
}

/** A source of randomness for laws; the tests draw from fast-check. */
export interface Draw {
  /** A whole number, both ends included. */
  int(lo: number, hi: number): number;
  /** Sizes of axes, 0 and 1 among them, of a rank from `lo` to `hi`. */
  shape(lo: number, hi: number): number[];
  /** One of these. */
  oneOf<T>(options: readonly T[]): T;
}

/** One call of an op with its inputs. */
export interface Trial {
  readonly inputs: readonly Drawn[];
  /** Any shape of result that `vjp` takes: a tensor, or a record of tensors. */
  readonly call: (...xs: readonly AnyTensor[]) => unknown;
  /** Where the derivative does not exist or is not finite (kinks, comparisons), gradients are not compared. */
  readonly smooth: boolean;
  /** Moves or tests bits, so that special values are exact on `webgpu` too. */
  readonly exact?: boolean;
  /** The largest relative error between backends, where an op is worse than 1e-5. */
  readonly tolerance?: number;
}

/** What an op is tested by. */
export interface Law {
  readonly law: string;
  readonly draw: (draw: Draw) => Trial;
}

/** An input of floats in a domain. */
export function floats(
  shape: readonly number[],
  domain: readonly [number, number] = [-3, 3],
  special: Drawn["special"] = false,
): Drawn {
  return { shape, dtype: "f32", domain, special };
}

/** An input of integers in a domain. */
export function integers(shape: readonly number[], domain: readonly [number, number]): Drawn {
  return { shape, dtype: "i32", domain, special: false };
}
