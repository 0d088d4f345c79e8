/**
 * Drawing: fast-check decides shapes, axes and seeds; the numbers themselves come from a seed.
 *
 * @module
 */
import fc from "npm:fast-check@4.10.2";
import { type DType, type HostArray, isFloat, toHost } from "../../../core/dtype.ts";
import { sizeOf } from "../../../core/graph/node.ts";
import type { Draw, Drawn } from "../../../core/ops/law.ts";

const FLOATS = [NaN, Infinity, -Infinity, 0, -0, 3e38, -3e38, 1e-40, -1e-40, 1, -1];
const WHOLE = [0, 1, -1, 2147483647, -2147483648];

/** Sizes of axes, by rank: ones, and, where there is room, more than a vector register or a row of threads. */
const SIZES = [[], [1, 2, 5, 19, 67, 130], [1, 2, 3, 4, 5, 17], [1, 2, 3, 4, 5], [
  1,
  2,
  3,
  4,
]] as const;

/** A draw that fast-check makes. */
export function drawWith(g: fc.GeneratorValue): Draw {
  const int = (lo: number, hi: number): number => g(fc.integer, { min: lo, max: hi });
  const oneOf = <T>(options: readonly T[]): T => options[int(0, options.length - 1)]!;
  const shape = (lo: number, hi: number): number[] => {
    const rank = int(lo, hi);
    const sizes = Array.from({ length: rank }, () => oneOf<number>(SIZES[Math.min(rank, 4)]!));
    // Now and then one axis is empty.
    return rank && int(0, 7) === 0 ? sizes.with(int(0, rank - 1), 0) : sizes;
  };
  return { int, oneOf, shape };
}

/** Numbers from 0 to 1 of a seed (mulberry32). */
export function stream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values of a drawn input, of this shape; with special ones among them if `special`. */
export function valuesOf(
  drawn: Drawn,
  shape: readonly number[],
  next: () => number,
  special: boolean,
): HostArray {
  const { dtype, domain: [lo, hi] } = drawn, pool = special ? poolOf(drawn) : [];
  const one = (): number => {
    if (pool.length && next() < 0.4) return pool[Math.floor(next() * pool.length)]!;
    return isFloat(dtype) ? lo + (hi - lo) * next() : Math.floor(lo + (hi - lo + 1) * next());
  };
  return toHost(Array.from({ length: sizeOf(shape) }, one), dtype);
}

function poolOf({ dtype, special }: Drawn): readonly number[] {
  if (special === false || dtype === "bool") return [];
  if (!isFloat(dtype)) return special === true ? WHOLE : [];
  return special === true ? FLOATS : special;
}

/** Numbers from -1 to 1, none near 0. */
export function directions(dtype: DType, size: number, next: () => number): HostArray {
  const one = (): number => isFloat(dtype) ? (next() < 0.5 ? -1 : 1) * (0.25 + 0.75 * next()) : 0;
  return toHost(Array.from({ length: size }, one), dtype);
}
