/**
 * One exchange a step: every rank gives its gradients, all get the sum, or the mean weighted by tokens.
 *
 * A step's batch is cut into shards. Without a fixed number of them (`fast`) there is one a rank, and sums go round a ring. With one
 * (`canonical`) each rank computes those that are its own, and they are summed in a fixed tree: the bits are the same for any number of
 * ranks, one included, as long as what is computed of a shard does not depend on who does it.
 *
 * Leaves travel in buckets, and buckets in a fixed order, each as soon as this rank has all of it: the backward pass that makes the last
 * leaves may still go on. When that is changes no bit.
 *
 * Something that is not finite on one rank is so in everybody's sum, of which all have the same bits: whoever skips a step because of it
 * skips it on all ranks.
 *
 * @module
 */
import { chunkOf, type Span } from "../group/chunk.ts";
import { together } from "../group/operation.ts";
import type { Collective } from "./alone.ts";
import { BUCKET_BYTES, bucketsOf } from "./buckets.ts";
import { type Begins, createLane } from "./lane.ts";

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
  /** All leaves, in the order in which they are ready and travel; if left out from the last to the first. Equal on all ranks. */
  readonly order?: readonly number[] | undefined;
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
  /**
   * The same of arrays that come one after another; resolves when it has them all. With a step's last shard every bucket is on its way
   * to the others as soon as its leaves are there. Absent where leaves do not travel one by one.
   */
  addReady?(arrays: readonly Promise<Float32Array>[], weight: number): Promise<void>;
  /** Exchanges what was added since the last time. @throws DistError */
  sum(): Promise<Exchanged>;
}

/** An exchange that takes arrays one after another. */
export type PlainExchange = Required<Exchange>;

/**
 * An exchange between the ranks of a group.
 *
 * @throws RangeError if the order has not every leaf once, there are fewer shards than ranks, or shards and bf16: what is rounded would depend on who has what
 */
export function createExchange(group: Collective, options: ExchangeOptions): PlainExchange {
  const { rank, size } = group, { lengths, shards = 0, mean = false } = options;
  const { wire = "f32", exact = [], bucketBytes = BUCKET_BYTES, order } = options;
  const sorted = order && [...order].sort((a, b) => a - b);
  if (sorted && (sorted.length !== lengths.length || sorted.some((leaf, i) => leaf !== i))) {
    throw new RangeError(`Cannot exchange leaves in the order [${order}]: it must have each once`);
  }
  const isRounded = (leaf: number): boolean => wire === "bf16" && !exact.includes(leaf);
  const rounded = bucketsOf(lengths, bucketBytes, isRounded, order);
  const buckets = [
    ...rounded,
    ...bucketsOf(lengths, bucketBytes, (leaf) => !isRounded(leaf), order),
  ];
  const isCanonical = shards > 0, total = isCanonical ? shards : size;
  if (!Number.isInteger(shards) || total < size) {
    throw new RangeError(
      `Cannot share ${shards} shards among ${size} ranks: there must be a whole number, one a rank at least`,
    );
  }
  if (isCanonical && wire !== "f32") {
    throw new RangeError(`Cannot sum ${shards} shards by ${wire}: their bits need f32`);
  }
  const own = chunkOf(total, rank, size), count = own.to - own.from;
  const way = { total, isCanonical };
  const weights = createLane(group, Float64Array, 1, way);
  const lanes = buckets.map(({ length }, b) =>
    createLane(group, Float32Array, length, { ...way, isRounded: b < rounded.length })
  );
  let added = 0, turn: Promise<void> = Promise.resolve();

  /** Sends a bucket on its way. A sum in bf16 is several operations, whose order all ranks must share: there, one after another. */
  function begin(lane: Begins): Promise<void> {
    const begun = rounded.length === 0 ? lane.begin() : turn = turn.then(() => lane.begin());
    begun.catch(() => {}); // met in `sum`, which a step that fails never comes to
    return begun;
  }
  /** The number of the shard that comes now. */
  function next(): number {
    if (added === count) {
      throw new RangeError(`Cannot add a shard: rank ${rank} has ${count} of them in a step`);
    }
    return own.from + added++;
  }
  function checkLeaf(array: Float32Array | undefined, leaf: number, given: number): void {
    if (array?.length === lengths[leaf]) return;
    throw new TypeError(
      `Cannot add ${given} arrays: leaf ${leaf} has ${array?.length} elements, it must have ${
        lengths[leaf]
      }`,
    );
  }
  return {
    total,
    own,
    add(arrays, weight) {
      for (let leaf = 0; leaf < Math.max(lengths.length, arrays.length); leaf++) {
        checkLeaf(arrays[leaf], leaf, arrays.length);
      }
      const shard = next();
      weights.add(shard, (room) => room.fill(weight));
      buckets.forEach(({ parts }, b) =>
        lanes[b]!.add(shard, (room) => {
          for (const { leaf, at } of parts) room.set(arrays[leaf]!, at);
        })
      );
    },
    async addReady(arrays, weight) {
      // Each is met when its bucket's turn comes.
      for (const array of arrays) array.catch(() => {});
      const shard = next(), isLast = added === count;
      weights.add(shard, (room) => room.fill(weight));
      if (isLast) begin(weights);
      for (const [b, { parts }] of buckets.entries()) {
        const ready = new Map<number, Float32Array>();
        for (const { leaf } of parts) {
          const array = await arrays[leaf];
          checkLeaf(array, leaf, arrays.length);
          ready.set(leaf, array!);
        }
        lanes[b]!.add(shard, (room) => {
          for (const { leaf, at } of parts) room.set(ready.get(leaf)!, at);
        });
        if (isLast) begin(lanes[b]!);
      }
    },
    async sum() {
      if (added < count) {
        throw new RangeError(
          `Cannot exchange ${added} shards: rank ${rank} has ${count} in a step`,
        );
      }
      // What fails ends the group: all of them end.
      await together([weights, ...lanes].map(begin), () => {});
      added = 0;
      const [weight] = await weights.take(), arrays: Float32Array<ArrayBuffer>[] = [];
      for (const [b, { length, parts }] of buckets.entries()) {
        const found = await lanes[b]!.take();
        if (mean) { for (let i = 0; i < length; i++) found[i]! /= weight!; }
        for (const { leaf, at, length } of parts) arrays[leaf] = found.subarray(at, at + length);
      }
      return { arrays, weight: weight! };
    },
  };
}

/** Adds a shard whose arrays come one after another: as they come where the exchange can take them so, else when all are there. */
export async function addLeaves(
  exchange: Exchange,
  leaves: readonly Promise<Float32Array>[],
  weight: number,
): Promise<void> {
  if (exchange.addReady) await exchange.addReady(leaves, weight);
  else exchange.add(await Promise.all(leaves), weight);
}
