/**
 * One exchange a step: every rank gives its gradients, all get the sum, or the mean weighted by tokens.
 *
 * A step's batch is cut into shards. Without a fixed number of them (`fast`) there is one a rank, and sums go round a ring. With one
 * (`canonical`) each rank computes those that are its own, and they are summed in a fixed tree: the bits are the same for any number of
 * ranks, one included, as long as what is computed of a shard does not depend on who does it.
 *
 * Something that is not finite on one rank is so in everybody's sum, of which all have the same bits: whoever skips a step because of it
 * skips it on all ranks.
 *
 * @module
 */
import { chunkOf, type Span } from "../group/chunk.ts";
import { createShardSum, nodesOf } from "../group/shard_tree.ts";
import { combines } from "../message/combine.ts";
import type { Collective } from "./alone.ts";
import { bf16AllReduce } from "./bf16_sum.ts";
import { BUCKET_BYTES, bucketsOf } from "./buckets.ts";

/** What is exchanged, and how. */
export interface ExchangeOptions {
  /** Elements of every leaf, in the order that all ranks agree on. */
  readonly lengths: readonly number[];
  /** Virtual shards of the canonical sum; 0, or left out, is `fast`. */
  readonly shards?: number | undefined;
  /** Divide sums by the sum of all weights? False if left out. */
  readonly mean?: boolean | undefined;
  /** What sums travel as: "f32" if left out; "bf16" is half the bytes, and only `fast`. */
  readonly wire?: "f32" | "bf16" | undefined;
  /** Leaves that travel as f32 in any case, such as counts. */
  readonly exact?: readonly number[] | undefined;
  /** Units: bytes; 25 MiB if left out. */
  readonly bucketBytes?: number | undefined;
}

/** What all ranks have together. */
export interface Exchanged {
  /** A leaf each, in their order: new arrays, the caller's from now on. */
  readonly arrays: readonly Float32Array<ArrayBuffer>[];
  /** The sum of all weights, such as the tokens that the losses are of. */
  readonly weight: number;
}

/** The exchange of one kind of gradients, step after step. */
export interface Exchange {
  /** Shards of a step. */
  readonly total: number;
  /** Those of them that this rank computes. */
  readonly own: Span;
  /** Adds one of them, in their order: sums over its examples, and their weight. The arrays may change afterwards. */
  add(arrays: readonly Float32Array[], weight: number): void;
  /** Exchanges what was added since the last time. @throws DistError */
  sum(): Promise<Exchanged>;
}

/** What a shard is packed into: an array a bucket, and its weight behind them. */
interface Packed {
  readonly buckets: readonly Float32Array<ArrayBuffer>[];
  readonly weight: Float64Array<ArrayBuffer>;
}

/**
 * An exchange between the ranks of a group.
 *
 * @throws RangeError if there are fewer shards than ranks, or shards and bf16: what is rounded would depend on who has what
 */
export function createExchange(group: Collective, options: ExchangeOptions): Exchange {
  const { rank, size } = group, { lengths, shards = 0, mean = false } = options;
  const { wire = "f32", exact = [], bucketBytes = BUCKET_BYTES } = options;
  const isRounded = (leaf: number): boolean => wire === "bf16" && !exact.includes(leaf);
  const rounded = bucketsOf(lengths, bucketBytes, isRounded);
  const buckets = [...rounded, ...bucketsOf(lengths, bucketBytes, (leaf) => !isRounded(leaf))];
  const isCanonical = shards > 0, total = isCanonical ? shards : size;
  if (!Number.isInteger(shards) || total < size) {
    throw new RangeError(
      `Cannot share ${shards} shards among ${size} ranks: there must be a whole number, one a rank at least`,
    );
  }
  if (isCanonical && wire !== "f32") {
    throw new RangeError(`Cannot sum ${shards} shards by ${wire}: their bits need f32`);
  }
  const own = chunkOf(total, rank, size), free: Packed[] = [];
  const room = (): Packed => ({
    buckets: buckets.map(({ length }) => new Float32Array(length)),
    weight: new Float64Array(1),
  });
  const fresh = () =>
    createShardSum<Packed>((left, right) => {
      left.buckets.forEach((bucket, b) => combines.sum(bucket, bucket, right.buckets[b]!));
      combines.sum(left.weight, left.weight, right.weight);
      free.push(right);
      return left;
    });
  let sum = fresh(), added = 0;

  /** The sum over all ranks of what this one has in place of a bucket. */
  async function exchanged<T extends Float32Array | Float64Array>(
    tops: readonly T[],
    into: T,
    asBf16 = false,
  ): Promise<T> {
    if (isCanonical) return await group.allReduceShards(tops, total, into, { folded: true });
    into.set(tops[0]!);
    if (!asBf16) return await group.allReduce(into);
    await bf16AllReduce(group, into as Float32Array);
    return into;
  }
  return {
    total,
    own,
    add(arrays, weight) {
      if (added === own.to - own.from) {
        throw new RangeError(`Cannot add a shard: rank ${rank} has ${added} of them in a step`);
      }
      const odd = lengths.findIndex((length, leaf) => arrays[leaf]?.length !== length);
      if (odd >= 0 || arrays.length !== lengths.length) {
        throw new TypeError(
          `Cannot add ${arrays.length} arrays: leaf ${Math.max(odd, 0)} has ${
            arrays[odd]?.length
          } elements, it must have ${lengths[odd]}`,
        );
      }
      const packed = free.pop() ?? room();
      buckets.forEach(({ parts }, b) => {
        for (const { leaf, at } of parts) packed.buckets[b]!.set(arrays[leaf]!, at);
      });
      packed.weight[0] = weight;
      sum.add({ from: own.from + added++, size: 1 }, packed);
    },
    async sum() {
      const tops = sum.sums();
      if (added < own.to - own.from || tops.length !== nodesOf(own.from, own.to).length) {
        throw new RangeError(
          `Cannot exchange ${added} shards: rank ${rank} has ${own.to - own.from} in a step`,
        );
      }
      const arrays: Float32Array<ArrayBuffer>[] = [];
      const weights = exchanged(tops.map(({ weight }) => weight), new Float64Array(1));
      // One after the other in the group, but each is packed while the one before is on its way.
      const all = buckets.map(async ({ length, parts }, b) => {
        const found = await exchanged(
          tops.map((top) => top.buckets[b]!),
          new Float32Array(length),
          b < rounded.length,
        );
        const [weight] = await weights;
        if (mean) { for (let i = 0; i < length; i++) found[i]! /= weight!; }
        for (const { leaf, at, length } of parts) arrays[leaf] = found.subarray(at, at + length);
      });
      // What fails ends the group: all of them end.
      const [first] = (await Promise.allSettled([weights, ...all])).filter(({ status }) =>
        status === "rejected"
      ) as readonly PromiseRejectedResult[];
      if (first) throw first.reason;
      free.push(...tops);
      [sum, added] = [fresh(), 0];
      return { arrays, weight: (await weights)[0]! };
    },
  };
}
