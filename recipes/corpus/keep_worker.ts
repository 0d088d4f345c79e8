/**
 * A worker that copies shards without some of their documents.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { documentsIn } from "./documents_in.ts";
import { ruleCounter, type RuleCounts } from "./rule_counts.ts";

/** A shard, and why documents are to be left out. */
export interface KeepQuestion {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** For each document 0 or 1 + the number of a rule. */
  readonly why: Uint32Array<ArrayBuffer>;
  readonly rules: readonly string[];
}

/** The shard that is left. */
export interface KeepAnswer {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** Units: UTF-16. */
  readonly characters: number;
  readonly rules: RuleCounts;
}

answer(
  ({ jsonl, hashes, why, rules }: KeepQuestion): KeepAnswer => {
    const { texts, places } = documentsIn(jsonl), counter = ruleCounter();
    let bytes = 0, documents = 0, characters = 0;
    // What stays moves to the front, over what does not.
    texts.forEach((text, i) => {
      if (why[i]! > 0) return counter.note(rules[why[i]! - 1]!, text);
      jsonl.copyWithin(bytes, places[i]!, places[i + 1]!);
      hashes.copyWithin(2 * documents, 2 * i, 2 * i + 2);
      bytes += places[i + 1]! - places[i]!;
      documents++;
      characters += text.length;
    });
    const left = { jsonl: jsonl.subarray(0, bytes), hashes: hashes.subarray(0, 2 * documents) };
    return { ...left, characters, rules: counter.counts() };
  },
  ({ jsonl, hashes }) => [jsonl.buffer, hashes.buffer],
);
