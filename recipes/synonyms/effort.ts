/**
 * How much there is to learn from a corpus: word vectors of a small one are worse, not better, when its pairs are gone through again and
 * again.
 *
 * @module
 */
import type { VectorSettings } from "./train_vectors.ts";
import type { WordStream } from "./word_stream.ts";

/** Pairs that are trained for each that the corpus has, as many as word2vec's own passes. With many more, held-out pairs are guessed worse. */
const PASSES = 5;
/** Batches are a multiple of it: below, a step costs what it costs. */
const UNIT = 64;

/** Pairs of neighbours that one pass draws on average, were no word left out for being frequent. */
export function pairsOf({ ids }: Pick<WordStream, "ids">, window: number): number {
  let pairs = 0;
  for (let at = 0; at < ids.length; at++) {
    if (ids[at]! < 0) continue;
    // Of two words that are `i` apart, each is within the other's window with this probability.
    for (let i = 1; i <= window && (ids[at + i] ?? -1) >= 0; i++) {
      pairs += 2 * (window + 1 - i) / window;
    }
  }
  return Math.round(pairs);
}

/** The batch and the steps of the settings, or as much less as there are fewer pairs: smaller batches first, then fewer of them. */
export function effortOf(
  words: Pick<WordStream, "ids">,
  { window, steps, batch }: VectorSettings,
): Pick<VectorSettings, "steps" | "batch"> {
  const wanted = PASSES * pairsOf(words, window);
  const own = Math.min(batch, UNIT * Math.max(1, Math.ceil(wanted / steps / UNIT)));
  return { steps: Math.min(steps, Math.max(1, Math.ceil(wanted / own))), batch: own };
}
