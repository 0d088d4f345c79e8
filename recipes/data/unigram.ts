/**
 * The unigram model: what a model reaches that knows how often each token is, and nothing of its neighbours.
 *
 * @module
 */
import { isSpecial, type Vocabulary } from "../text/vocabulary.ts";
import type { Batch } from "./batches.ts";
import { tokenParts, type TokenStore } from "./token_store.ts";

/** log p(id) from add-one counts of the training tokens; the special tokens, which are never predicted, take no share. */
export function unigramLogProbs(train: TokenStore, vocabulary: Vocabulary): Float64Array {
  const counts = new Float64Array(vocabulary.tokens.length).fill(1);
  for (const { ids } of tokenParts(train)) for (const id of ids) counts[id]!++;
  for (const id of counts.keys()) if (isSpecial(vocabulary, id)) counts[id] = 0;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => Math.log(count / total));
}

/**
 * Perplexity of the unigram model on the predictions of some batches.
 *
 * exp(-mean log p(label)) over the labels of weight 1
 *
 * @throws RangeError where there is nothing to predict.
 */
export function unigramPerplexity(logProbs: Float64Array, batches: readonly Batch[]): number {
  let sum = 0;
  let weight = 0;
  for (const { labels, weights } of batches) {
    labels.forEach((label, p) => {
      if (weights[p] === 0) return;
      sum += weights[p]! * logProbs[label]!;
      weight += weights[p]!;
    });
  }
  if (weight === 0) throw new RangeError("Cannot measure a perplexity: there are no predictions");
  return Math.exp(-sum / weight);
}
