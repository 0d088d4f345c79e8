/**
 * An exchange of which some leaves are summed up by a compression, with a memory; the others go as f32.
 *
 * @module
 */
import type { Collective } from "../parallel/alone.ts";
import { BUCKET_BYTES, bucketsOf } from "../parallel/buckets.ts";
import { createExchange, type Exchange, type ExchangeOptions } from "../parallel/exchange.ts";
import {
  type Compression,
  freshMemory,
  type Memory,
  movedMemory,
  type Remembered,
} from "./memory.ts";

/** What is exchanged, and how. */
export interface CompressedOptions
  extends Pick<ExchangeOptions, "lengths" | "mean" | "bucketBytes"> {
  /** How those leaves are summed up. */
  readonly compression: Compression;
  /** The leaves that it is for. */
  readonly compressed: readonly number[];
}

/** An exchange that goes on with what its ranks remember. Every rank adds one shard a step. */
export interface CompressedExchange extends Exchange {
  /** What this rank remembers now, a bucket each. */
  readonly memory: readonly Memory[];
  /** What any rank of this group would remember before the first exchange: as long as what it remembers at any time. */
  fresh(rank: number): readonly Memory[];
  /** What a rank of this group goes on with after ranks of before. @throws RangeError where they remember something else */
  moved(before: Remembered, rank: number): Promise<readonly Memory[]>;
  /** Goes on with this. */
  remember(memory: readonly Memory[]): void;
}

/**
 * An exchange by a compression between the ranks of a group, with nothing to remember yet.
 *
 * After a sum that is not finite somewhere, which all see, everybody remembers what it did before: the step will be skipped.
 */
export function createCompressedExchange(
  group: Collective,
  { lengths, compression, compressed, mean = false, bucketBytes = BUCKET_BYTES }: CompressedOptions,
): CompressedExchange {
  const { rank, size } = group, isPlain = (leaf: number): boolean => !compressed.includes(leaf);
  const buckets = bucketsOf(lengths, bucketBytes, (leaf) => !isPlain(leaf));
  const none = new Float32Array(0);
  const plain = createExchange(group, {
    lengths: lengths.map((length, leaf) => isPlain(leaf) ? length : 0),
    mean,
    bucketBytes,
  });
  const fresh = (rank: number): readonly Memory[] =>
    buckets.map((bucket) => freshMemory(compression, bucket, { rank, size }));
  const rooms = buckets.map(({ length }) => new Float32Array(length));
  let memory = fresh(rank);
  return {
    total: plain.total,
    own: plain.own,
    get memory() {
      return memory;
    },
    fresh,
    moved: (before, rank) => movedMemory(compression, buckets, before, { rank, size }),
    remember(other) {
      memory = other;
    },
    add(arrays, weight) {
      const odd = compressed.find((leaf) => arrays[leaf]?.length !== lengths[leaf]);
      if (odd !== undefined) {
        throw new TypeError(
          `Cannot add ${arrays.length} arrays: leaf ${odd} has ${
            arrays[odd]?.length
          } elements, it must have ${lengths[odd]}`,
        );
      }
      plain.add(arrays.map((array, leaf) => isPlain(leaf) ? array : none), weight);
      buckets.forEach(({ parts }, b) => {
        for (const { leaf, at } of parts) rooms[b]!.set(arrays[leaf]!, at);
      });
    },
    async sum() {
      const { arrays, weight } = await plain.sum(), all = [...arrays], next: Memory[] = [];
      // One after the other: what comes second in a bucket must not come between others' firsts.
      for (const [b, bucket] of buckets.entries()) {
        const sum = rooms[b]!.slice();
        next.push(await compression.sum(group, sum, bucket, memory[b]!));
        if (mean) { for (let i = 0; i < sum.length; i++) sum[i]! /= weight; }
        for (const { leaf, at, length } of bucket.parts) all[leaf] = sum.subarray(at, at + length);
      }
      if (all.every(isFinite)) memory = next;
      return { arrays: all, weight };
    },
  };
}

function isFinite(array: Float32Array): boolean {
  for (let i = 0; i < array.length; i++) if (!Number.isFinite(array[i]!)) return false;
  return true;
}
