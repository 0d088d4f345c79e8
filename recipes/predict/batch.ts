/**
 * How rows become batches: a program is compiled for every length and number of rows, so both are rounded up to a few values.
 *
 * @module
 */
import type { Ask } from "./model_source.ts";
import type { Row } from "./row.ts";

/** Rows that are computed together. */
export interface Batch {
  readonly ask: Ask;
  readonly rows: readonly Row[];
  /** What they are padded to: B rows of T tokens. */
  readonly B: number;
  readonly T: number;
}

/** How large a batch may be. */
export interface BatchLimits {
  /** A power of two. */
  readonly rows: number;
  /** With padding; a row of its own may have more. */
  readonly tokens: number;
}

/** Fits the caches of a small machine; a GPU may want more. */
export const BATCH_LIMITS: BatchLimits = { rows: 32, tokens: 4096 };

/** The shortest. Units: tokens. */
const SHORTEST = 16;
/** What a batch costs whatever is in it, measured on two cores with `motian-small`: as much as so many tokens more. */
const OVERHEAD = 64;

/**
 * A length rounded up to 16, 32, 48, 64, 96, 128, 192, 256, …, at most `limit`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { paddedLength } from "./batch.ts";
 *
 * assertEquals([3, 16, 17, 65, 97, 400].map((n) => paddedLength(n, 500)), [16, 16, 32, 96, 128, 500]);
 * ```
 */
export function paddedLength(length: number, limit: number): number {
  const power = 2 ** Math.ceil(Math.log2(Math.max(length, SHORTEST))), less = power * 3 / 4;
  return Math.min(limit, power > 2 * SHORTEST && length <= less ? less : power);
}

/** All lengths that rows are padded to. */
export function paddedLengths(limit: number): readonly number[] {
  const found: number[] = [];
  for (let T = 0; T < limit;) found.push(T = paddedLength(T + 1, limit));
  return found;
}

/** Rows of T tokens in a batch at most: a power of two. */
export function rowsAt(T: number, { rows, tokens }: BatchLimits): number {
  return Math.max(1, Math.min(rows, 2 ** Math.floor(Math.log2(tokens / T))));
}

/**
 * How many of `count` rows of T tokens make the next batch, and how many rows it has with those that fill it up: a power of two. It is
 * filled up only where that costs less than another batch would.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BATCH_LIMITS, nextBatch } from "./batch.ts";
 *
 * assertEquals(nextBatch(7, 16, BATCH_LIMITS), { take: 7, B: 8 });
 * assertEquals(nextBatch(7, 128, BATCH_LIMITS), { take: 4, B: 4 });
 * assertEquals(nextBatch(99, 128, BATCH_LIMITS), { take: 32, B: 32 });
 * ```
 */
export function nextBatch(
  count: number,
  T: number,
  limits: BatchLimits,
): { readonly take: number; readonly B: number } {
  const most = rowsAt(T, limits);
  if (count >= most) return { take: most, B: most };
  const up = 2 ** Math.ceil(Math.log2(count)), down = 2 ** Math.floor(Math.log2(count));
  return (up - count) * T <= OVERHEAD ? { take: count, B: up } : { take: down, B: down };
}

/** Rows in batches, the longest first, and the numbers of each one's rows: what does not fit fails at once. */
export function batchesOf(
  ask: Ask,
  rows: readonly Row[],
  limit: number,
  limits: BatchLimits = BATCH_LIMITS,
): readonly { readonly batch: Batch; readonly numbers: readonly number[] }[] {
  const lengthOf = ({ ids }: Row): number => paddedLength(ids.length, limit);
  const byLength = Map.groupBy(rows.keys(), (n) => lengthOf(rows[n]!));
  return [...byLength].sort(([a], [b]) => b - a).flatMap(([T, all]) => {
    const found = [];
    for (let at = 0; at < all.length;) {
      const { take, B } = nextBatch(all.length - at, T, limits);
      const numbers = all.slice(at, at += take);
      found.push({ batch: { ask, rows: numbers.map((n) => rows[n]!), B, T }, numbers });
    }
    return found;
  });
}
