/**
 * A part of a corpus that stands for all of it.
 *
 * @module
 */
import type { ShardMeta } from "./shards.ts";

/**
 * Shards of about so many characters, evenly spread over the corpus, so that every source has its part; all where there are no more.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { spread } from "./spread.ts";
 *
 * const shards = Array.from({ length: 10 }, (_, index) => ({
 *   index, source: "s", weight: 1, documents: 1, characters: 100,
 * }));
 * assertEquals(spread(shards, 500).map(({ index }) => index), [0, 2, 4, 6, 8]);
 * assertEquals(spread(shards, 5000), shards);
 * ```
 */
export function spread(shards: readonly ShardMeta[], characters: number): readonly ShardMeta[] {
  const all = shards.reduce((sum, shard) => sum + shard.characters, 0);
  const wanted = Math.ceil(shards.length * Math.min(1, characters / all));
  return Array.from({ length: wanted }, (_, i) => shards[Math.floor(i * shards.length / wanted)]!);
}
