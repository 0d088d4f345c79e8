/**
 * Documents of a shard by number.
 *
 * @module
 */
import { shardPath } from "./shards.ts";

/** Where the documents of a shard are, and how long. */
export interface DocumentPlaces {
  /** Where document i begins in the shard's bytes, and at last where the shard ends. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Units: UTF-16. */
  readonly lengths: Uint32Array<ArrayBuffer>;
}

const NEWLINE = 10;

/** The documents in a shard's bytes, and where they begin. */
export function documentPlaces(jsonl: Uint8Array): {
  readonly places: Uint32Array<ArrayBuffer>;
  readonly texts: readonly string[];
} {
  const starts = [0], texts: string[] = [], decoder = new TextDecoder();
  for (let from = 0; from < jsonl.length;) {
    const to = jsonl.indexOf(NEWLINE, from);
    texts.push(JSON.parse(decoder.decode(jsonl.subarray(from, to))).text);
    starts.push(from = to + 1);
  }
  return { places: Uint32Array.from(starts), texts };
}

/** Reads single documents of a corpus. */
export async function readDocument(
  folder: string,
  shard: number,
  from: number,
  to: number,
): Promise<string> {
  using file = await Deno.open(shardPath(folder, shard, "jsonl"));
  await file.seek(from, Deno.SeekMode.Start);
  const bytes = new Uint8Array(to - from);
  for (let at = 0; at < bytes.length;) at += await file.read(bytes.subarray(at)) ?? bytes.length;
  return JSON.parse(new TextDecoder().decode(bytes)).text;
}
