/**
 * How varied the text of a source is.
 *
 * A million documents from one mould say little more than ten of them. The number of different pairs of neighbouring characters in samples
 * of one size tells sources apart: where one thing is said again and again there are few.
 *
 * @module
 */
import { type ShardMeta, shardTexts } from "./shards.ts";

/** What was found in a sample of a source. */
export interface Breadth {
  /** Different pairs of Chinese characters, side by side. */
  readonly pairs: number;
  /** Of so many Chinese characters. */
  readonly characters: number;
}

/** Characters of a sample, and shards that it comes from, at most. */
const SAMPLE = 100_000, SHARDS = 16;

/** Up to `count` things, evenly spread. */
function evenly<T>(all: readonly T[], count: number): readonly T[] {
  const length = Math.min(count, all.length);
  return Array.from({ length }, (_, i) => all[Math.floor(i * all.length / length)]!);
}

/** The breadth of a source's shards: documents are taken evenly from them, whole, until there are enough. */
export async function breadthOf(folder: string, shards: readonly ShardMeta[]): Promise<Breadth> {
  const chosen = evenly(shards.filter(({ documents }) => documents > 0), SHARDS);
  const pairs = new Set<string>();
  let characters = 0;
  for (const [i, shard] of chosen.entries()) {
    const enough = (i + 1) * SAMPLE / chosen.length;
    const wanted = Math.ceil(enough * shard.documents / shard.characters);
    for (const text of evenly(await shardTexts(folder, shard.index), wanted)) {
      if (characters >= enough) break;
      for (const [run] of text.matchAll(/\p{Script=Han}+/gu)) {
        const own = [...run];
        characters += own.length;
        for (let c = 1; c < own.length; c++) pairs.add(own[c - 1]! + own[c]!);
      }
    }
  }
  return { pairs: pairs.size, characters };
}
