/**
 * A worker of `filter`.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { type NgramModel, perplexity } from "./ngram_model.ts";
import { documentsIn } from "./documents_in.ts";

/** A shard's bytes, and what its documents are held against. */
export interface FilterQuestion {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  readonly model: NgramModel;
}

/** The perplexities of the documents, then their lengths. Units of a length: UTF-16. */
export type FilterAnswer = Float32Array<ArrayBuffer>;

answer(
  ({ jsonl, model }: FilterQuestion): FilterAnswer => {
    const { texts } = documentsIn(jsonl);
    return Float32Array.from([
      ...texts.map((text) => perplexity(model, text)),
      ...texts.map(({ length }) => length),
    ]);
  },
  (found) => [found.buffer],
);
