/**
 * One bucket of an exchange, from this rank's shards to everybody's sum.
 *
 * @module
 */
import { createShardSum } from "../group/shard_tree.ts";
import { combines } from "../message/combine.ts";
import type { Collective } from "./alone.ts";
import { bf16AllReduce } from "./bf16_sum.ts";

/** What a bucket's numbers are: gradients, or the weight of their examples. */
type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** How a bucket is summed. */
export interface LaneOptions {
  /** Shards of all ranks. */
  readonly total: number;
  /** In the fixed tree of these shards? */
  readonly isCanonical: boolean;
  /** As bf16? */
  readonly isRounded?: boolean;
}

/** What can be sent on its way. */
export interface Begins {
  /** Sends what was added on its way, unless it is; resolves when all have the sum. @throws DistError */
  begin(): Promise<void>;
}

/** A bucket, step after step. */
export interface Lane<T extends Numbers> extends Begins {
  /** Adds a shard of this rank, which `pack` writes. */
  add(shard: number, pack: (room: T) => void): void;
  /** The sum, which is the caller's from now on. */
  take(): Promise<T>;
}

/** A bucket of so many numbers, with nothing added yet. */
export function createLane<T extends Numbers>(
  group: Collective,
  kind: new (buffer: ArrayBuffer) => T,
  length: number,
  { total, isCanonical, isRounded = false }: LaneOptions,
): Lane<T> {
  const { prefersShared = false } = group, free: T[] = [];
  const bytes = length * (kind as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  // What another thread sums lies in shared memory, and is used again and again.
  const room = (): T =>
    free.pop() ??
      new kind(
        (prefersShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)) as ArrayBuffer,
      );
  const fresh = () =>
    createShardSum<T>((left, right) => {
      combines.sum(left, left, right);
      free.push(right);
      return left;
    });
  let sum = fresh(), begun: Promise<T> | undefined;

  async function exchanged(tops: readonly T[]): Promise<T> {
    if (isCanonical) {
      const into = await group.allReduceShards(tops, total, room(), { folded: true });
      free.push(...tops);
      return into;
    }
    const [array] = tops as [T];
    if (isRounded) await bf16AllReduce(group, array as Float32Array);
    else await group.allReduce(array);
    return array;
  }
  return {
    add(shard, pack) {
      const packed = room();
      pack(packed);
      sum.add({ from: shard, size: 1 }, packed);
    },
    async begin() {
      begun ??= exchanged(sum.sums());
      // Who takes the sum hears of it.
      begun.catch(() => {});
      await begun;
    },
    async take() {
      const found = await begun!;
      [sum, begun] = [fresh(), undefined];
      if (!prefersShared) return found;
      free.push(found);
      return found.slice() as T;
    },
  };
}
