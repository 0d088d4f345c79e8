/**
 * A worker of `filter`.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { type NgramModel, perplexity } from "./ngram_model.ts";
import { documentsIn } from "./places.ts";

/** A shard's bytes, and what its documents are held against. */
export interface FilterQuestion {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  readonly model: NgramModel;
}

answer(
  ({ jsonl, model }: FilterQuestion): Float32Array<ArrayBuffer> =>
    Float32Array.from(documentsIn(jsonl).texts, (text) => perplexity(model, text)),
  (perplexities) => [perplexities.buffer],
);
