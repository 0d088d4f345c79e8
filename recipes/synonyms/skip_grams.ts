/**
 * Training pairs for word vectors: a word, one beside it, and others drawn by how often they are.
 *
 * Source: Mikolov et al., "Distributed representations of words and phrases" (arXiv 1310.4546): negative sampling from count^0.75,
 * frequent words left out with probability 1 - √(t / f).
 *
 * @module
 */
import type { Draws } from "../masking/counter_random.ts";
import { placeIn } from "../masking/place_in.ts";
import type { WordStream } from "./word_stream.ts";

/** How pairs are made. */
export interface SkipGramSettings {
  /** Words to each side, at most: each word draws its own window. */
  readonly window: number;
  /** Other words for each pair. */
  readonly negatives: number;
  /** Words more frequent than this share are left out more and more often. */
  readonly frequent: number;
}

/** Pairs: `centers` [N], `others` [N, 1 + negatives], of which the first is the word that was there. */
export interface SkipGrams {
  readonly centers: Int32Array<ArrayBuffer>;
  readonly others: Int32Array<ArrayBuffer>;
}

/** Endless batches of N pairs, going through the corpus over and over. */
export function* skipGrams(
  { ids, counts }: WordStream,
  N: number,
  { window, negatives, frequent }: SkipGramSettings,
  draw: Draws,
): Generator<SkipGrams, never> {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const kept = counts.map((count) => Math.sqrt(frequent * total / count));
  const shares = new Float64Array(counts.length), smooth = counts.map((count) => count ** 0.75);
  const all = smooth.reduce((sum, weight) => sum + weight, 0);
  smooth.reduce((sum, weight, i) => shares[i] = sum + weight / all, 0);
  const negative = (): number => placeIn(shares, draw.uniform());
  let [centers, others, n] = [new Int32Array(N), new Int32Array(N * (1 + negatives)), 0];
  for (;;) {
    for (let at = 0; at < ids.length; at++) {
      const center = ids[at]!;
      if (center < 0 || draw.uniform() >= kept[center]!) continue;
      const reach = 1 + draw.below(window);
      for (const step of [-1, 1]) {
        for (let i = 1; i <= reach; i++) {
          const other = ids[at + step * i] ?? -1;
          if (other < 0) break; // the end of a sentence
          if (draw.uniform() >= kept[other]!) continue;
          centers[n] = center;
          others[n * (1 + negatives)] = other;
          for (let j = 1; j <= negatives; j++) others[n * (1 + negatives) + j] = negative();
          if (++n < N) continue;
          yield { centers, others };
          [centers, others, n] = [new Int32Array(N), new Int32Array(N * (1 + negatives)), 0];
        }
      }
    }
  }
}
