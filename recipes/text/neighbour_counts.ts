/**
 * How often tokens stand near each other.
 *
 * @module
 */
import { tokenCount, tokenParts, type TokenStore } from "../data/token_store.ts";

/** What is counted. */
export interface NeighbourOptions {
  /** Size of the vocabulary. */
  readonly vocabulary: number;
  /** Tokens to both sides that are near; neither over the end of a document. */
  readonly window: number;
  /** The tokens near which others are counted: so many of the most frequent ones. */
  readonly contexts: number;
  /** Tokens that are not read: those that are no words. */
  readonly special: ReadonlySet<number>;
  /** Where documents end. */
  readonly end: number;
  /** Tokens that are read at most: of a longer text the same share of every part. */
  readonly most: number;
}

/** Counts. Shapes: counts [V, K], the token of context k is `contexts[k]`. */
export interface NeighbourCounts {
  readonly vocabulary: number;
  readonly counts: Float32Array<ArrayBuffer>;
  readonly contexts: readonly number[];
}

/** Most frequent first; of equals the lower id. */
function mostFrequent(counts: Float64Array, K: number): readonly number[] {
  return Array.from(counts.keys())
    .filter((id) => counts[id]! > 0)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, K);
}

/** Counts near neighbours in a text. */
export function neighbourCounts(
  text: TokenStore,
  { vocabulary: V, window, contexts: K, special, end, most }: NeighbourOptions,
): NeighbourCounts {
  const share = Math.min(1, most / Math.max(1, tokenCount(text)));
  const read = (length: number): number => Math.floor(share * length);
  const each = new Float64Array(V);
  for (const { ids } of tokenParts(text)) {
    for (let i = 0; i < read(ids.length); i++) if (!special.has(ids[i]!)) each[ids[i]!]!++;
  }
  const contexts = mostFrequent(each, K), column = new Int32Array(V).fill(-1);
  contexts.forEach((id, k) => column[id] = k);
  const width = contexts.length, counts = new Float32Array(V * width);
  for (const { ids } of tokenParts(text)) {
    const length = read(ids.length);
    let from = 0;
    for (let i = 0; i < length; i++) {
      const id = ids[i]!;
      if (id === end) from = i + 1;
      if (special.has(id)) continue;
      const own = column[id]!;
      for (let j = Math.max(from, i - window); j < i; j++) {
        const other = ids[j]!;
        if (special.has(other)) continue;
        const k = column[other]!;
        if (k >= 0) counts[id * width + k]!++;
        if (own >= 0) counts[other * width + own]!++;
      }
    }
  }
  return { vocabulary: V, counts, contexts };
}
