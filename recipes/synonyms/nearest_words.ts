/**
 * The words whose vectors point the same way.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";

/** A word by number, and the cosine of the angle between two vectors. */
export interface Neighbour {
  readonly word: number;
  readonly similarity: number;
}

/** Vectors of length 1. */
function normalized(vectors: Float32Array, width: number): Float32Array {
  const out = Float32Array.from(vectors);
  for (let from = 0; from < out.length; from += width) {
    const row = out.subarray(from, from + width);
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let i = 0; i < width; i++) row[i]! /= norm;
  }
  return out;
}

/** Which words are near, and what is told meanwhile. */
export interface NearestOptions {
  /** Words that are kept for each one. */
  readonly most: number;
  /** Similarity that a word must have. */
  readonly least: number;
  /** How many words have been looked at. */
  readonly progress?: (done: number) => void;
  /** Asked as often as that is told; when it says so nothing is found. */
  readonly stop?: () => boolean;
}

/** Words between two turns of the event loop, some ten milliseconds apart. */
const TURN = 32;

/**
 * For every word the `most` nearest that `allowed` lets stand and that are at least so similar, the nearest first. `groups` says which words
 * are compared: those of one group.
 */
export async function nearestWords(
  vectors: Float32Array,
  width: number,
  groups: readonly (readonly number[])[],
  { most, least, progress, stop }: NearestOptions,
  allowed: (a: number, b: number) => boolean,
): Promise<readonly (readonly Neighbour[])[] | undefined> {
  const unit = normalized(vectors, width), count = vectors.length / width;
  const found: Neighbour[][] = Array.from({ length: count }, () => []);
  let done = 0;
  for (const group of groups) {
    for (const a of group) {
      const best: Neighbour[] = [];
      for (const b of group) {
        if (a === b) continue;
        let similarity = 0;
        for (let i = 0; i < width; i++) similarity += unit[a * width + i]! * unit[b * width + i]!;
        const worst = best.length < most ? least : best.at(-1)!.similarity;
        if (similarity < worst || !allowed(a, b)) continue;
        const at = best.findIndex((n) => n.similarity < similarity);
        best.splice(at < 0 ? best.length : at, 0, { word: b, similarity });
        if (best.length > most) best.pop();
      }
      found[a] = best;
      if (++done % TURN > 0) continue;
      progress?.(done);
      await setImmediate();
      if (stop?.()) return undefined;
    }
  }
  progress?.(done);
  return found;
}
