/**
 * Cleans one block: what a worker of `clean` does.
 *
 * @module
 */
import type { Block } from "./blocks.ts";
import { cleanText } from "./clean_text.ts";
import { type BadLine, documentsOf } from "./documents_of.ts";
import { hash64 } from "../hash/hash64.ts";
import { ruleCounter, type RuleCounts } from "./rule_counts.ts";

/** A block after cleaning. */
export interface CleanBlock {
  /** JSON lines. */
  readonly jsonl: Uint8Array<ArrayBuffer>;
  /** Two words of hash for each document. */
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** Documents that were there. */
  readonly read: number;
  readonly characters: number;
  readonly rules: RuleCounts;
  readonly bad: readonly BadLine[];
}

/** Cleans the documents of a block. */
export function cleanBlock(block: Block): CleanBlock {
  const { texts, bad } = documentsOf(block), counter = ruleCounter();
  const kept: string[] = [];
  let read = 0, characters = 0;
  for (const text of texts) {
    if (text.trim() === "") continue;
    read++;
    const clean = cleanText(text, counter.note);
    if (clean === undefined) continue;
    kept.push(clean);
    characters += clean.length;
  }
  const hashes = new Uint32Array(2 * kept.length);
  kept.forEach((text, i) => hash64(text, hashes, 2 * i));
  const json = kept.map((text) => `{"text":${JSON.stringify(text)}}\n`).join("");
  return {
    jsonl: new TextEncoder().encode(json),
    hashes,
    read,
    characters,
    rules: counter.counts(),
    bad,
  };
}
