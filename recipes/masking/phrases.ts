/**
 * A dictionary of phrases, as token ids.
 *
 * @module
 */
import { mix32 } from "../hash/hash64.ts";
import { addHash, type HashSet, hashSet, valueOf } from "../hash/hash_set.ts";

/** Phrases by the hash of their ids, in memory that workers share. */
export interface Phrases {
  readonly set: HashSet;
  /** Tokens of the longest. */
  readonly longest: number;
}

const words = [0, 0] as [number, number];

/** Hashes ids [from, to). */
function hash(ids: ArrayLike<number>, from: number, to: number): void {
  let a = to - from, b = ~a;
  for (let i = from; i < to; i++) {
    a = mix32(Math.imul(a, 0x9e3779b1) ^ ids[i]!);
    b = mix32(Math.imul(b, 0x85ebca77) + ids[i]! | 0);
  }
  words[0] = a >>> 0 || 1;
  words[1] = b >>> 0;
}

/** A dictionary of these phrases; those of one token are left out. */
export function phrasesOf(phrases: Iterable<readonly number[]>): Phrases {
  const several = [...phrases].filter((ids) => ids.length > 1), set = hashSet(several.length);
  let longest = 0;
  for (const ids of several) {
    hash(ids, 0, ids.length);
    addHash(set, ...words, ids.length);
    longest = Math.max(longest, ids.length);
  }
  return { set, longest };
}

/** Are ids [from, to) a phrase? */
export function isPhrase(
  { set }: Phrases,
  ids: ArrayLike<number>,
  from: number,
  to: number,
): boolean {
  hash(ids, from, to);
  return valueOf(set, ...words) === to - from;
}
