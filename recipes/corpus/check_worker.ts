/**
 * A worker of `check`.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { contamination, type Evaluation } from "./contamination.ts";
import { documentsIn } from "./documents_in.ts";

/** A shard's bytes, and what its documents are held against. */
export interface CheckQuestion {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  readonly evaluation: Evaluation;
}

/** For each document 0, or 1 + 2 × the number of a file, and 1 more where a sentence was found and no run of characters. */
export type CheckAnswer = Uint32Array<ArrayBuffer>;

answer(
  ({ jsonl, evaluation }: CheckQuestion): CheckAnswer =>
    Uint32Array.from(documentsIn(jsonl).texts, (text) => {
      const found = contamination(text, evaluation);
      return found ? 1 + 2 * found.file + (found.rule === "sentence" ? 1 : 0) : 0;
    }),
  (found) => [found.buffer],
);
