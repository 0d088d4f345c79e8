/**
 * Documents of a shard by number.
 *
 * @module
 */
import { readPart } from "../data/read_part.ts";
import { shardPath } from "./shards.ts";

const NEWLINE = 10;

/** Documents of a shard. */
export interface Documents {
  readonly texts: readonly string[];
  /** Where document i begins in the shard's bytes, and at last where the shard ends. */
  readonly places: Uint32Array<ArrayBuffer>;
}

/** The documents in a shard's bytes. */
export function documentsIn(jsonl: Uint8Array): Documents {
  const starts = [0], texts: string[] = [], decoder = new TextDecoder();
  for (let from = 0; from < jsonl.length;) {
    const to = jsonl.indexOf(NEWLINE, from);
    texts.push(JSON.parse(decoder.decode(jsonl.subarray(from, to))).text);
    starts.push(from = to + 1);
  }
  return { places: Uint32Array.from(starts), texts };
}

/** Reads a single document of a corpus, from its place. */
export function readDocument(folder: string, shard: number, from: number, to: number): string {
  const bytes = readPart(shardPath(folder, shard, "jsonl"), from, to);
  return JSON.parse(new TextDecoder().decode(bytes)).text;
}
