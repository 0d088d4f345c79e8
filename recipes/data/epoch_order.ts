/**
 * Which sequences an epoch shows, and in which order.
 *
 * @module
 */
import { draws, permutation, USES } from "../masking/counter_random.ts";
import type { PackedSet } from "./pack.ts";

interface Range {
  readonly begin: number;
  readonly count: number;
  /** Sequences shown in an epoch. */
  readonly shown: number;
}

/** Parts of equal weight that follow one another are one: their rounding is done once. */
function ranges({ parts }: PackedSet): readonly Range[] {
  const found: Range[] = [];
  let begin = 0;
  parts.forEach(({ end, weight }, i) => {
    if (parts[i + 1]?.weight === weight) return;
    found.push({ begin, count: end - begin, shown: Math.round(weight * (end - begin)) });
    begin = end;
  });
  return found;
}

/** Is any sequence seen more or less than once? */
export function isWeighted({ parts }: PackedSet): boolean {
  return parts.some(({ weight }) => weight !== 1);
}

/** How many sequences an epoch shows. */
export function epochLength(set: PackedSet): number {
  return ranges(set).reduce((sum, { shown }) => sum + shown, 0);
}

/**
 * The sequences of an epoch in a random order: those of weight 2 twice, of those of weight 0.5 another half each time.
 */
export function epochOrder(set: PackedSet, seed: number, epoch: number): Uint32Array {
  const all = new Uint32Array(epochLength(set));
  let at = 0;
  ranges(set).forEach(({ begin, count, shown }, i) => {
    for (let whole = Math.floor(shown / Math.max(1, count)); whole > 0; whole--) {
      for (let index = begin; index < begin + count; index++) all[at++] = index;
    }
    const some = count === 0 ? 0 : shown % count;
    if (some === 0) return;
    const chosen = permutation(count, draws(seed, USES.sources, epoch, i)).subarray(0, some);
    for (const index of chosen) all[at++] = begin + index;
  });
  const order = permutation(all.length, draws(seed, USES.shuffle, epoch, 0));
  return order.map((place) => all[place]!);
}
