/**
 * What ranks remember between compressed exchanges: errors, which are what a rank wanted to say and did not have the bytes for, and what
 * the next exchange begins with.
 *
 * What is not said in a step is said later: a rank adds its errors to what it has next. So the sum of all errors counts, not who
 * remembers which, and another number of ranks can go on with it.
 *
 * @module
 */
import type { Span } from "../group/chunk.ts";
import { combines } from "../message/combine.ts";
import type { Collective } from "../parallel/alone.ts";
import type { Bucket } from "../parallel/buckets.ts";

/** What one rank remembers of one bucket. */
export interface Memory {
  /** What this rank did not say of its own gradients: as long as the bucket. */
  readonly worker: Float32Array<ArrayBuffer>;
  /** What it did not say of the sum of its chunk: as long as that. */
  readonly server: Float32Array<ArrayBuffer>;
  /** What the next exchange begins with; equal on all ranks. */
  readonly basis: Float32Array<ArrayBuffer>;
}

/** A rank among so many. */
export type Seat = Pick<Collective, "rank" | "size">;

/** A way to sum up buckets by fewer bytes than they have. */
export interface Compression {
  /** The part of a bucket that a rank sums up and remembers the errors of; nothing where no rank does. */
  chunk(bucket: Bucket, place: Seat): Span;
  /** What the first exchange begins with. */
  basis(bucket: Bucket): Float32Array<ArrayBuffer>;
  /** Puts the sum over all ranks, the same bits on each, in place of the bucket's `array`. Gives what to remember; `memory` stays as it is. */
  sum(group: Collective, array: Float32Array, bucket: Bucket, memory: Memory): Promise<Memory>;
}

/** Nothing left unsaid. */
export function freshMemory(compression: Compression, bucket: Bucket, place: Seat): Memory {
  const { from, to } = compression.chunk(bucket, place);
  return {
    worker: new Float32Array(bucket.length),
    server: new Float32Array(to - from),
    basis: compression.basis(bucket),
  };
}

/** What ranks of before remember. */
export interface Remembered {
  /** Their number. */
  readonly size: number;
  /** What one of them remembers, a bucket each. */
  read(rank: number): Promise<readonly Memory[]>;
}

/**
 * What a rank goes on with after ranks of before: its own memory, if there were as many. Otherwise rank 0 takes on the errors of all.
 *
 * @throws RangeError if what is remembered is of other buckets
 */
export async function movedMemory(
  compression: Compression,
  buckets: readonly Bucket[],
  before: Remembered,
  { rank, size }: Seat,
): Promise<readonly Memory[]> {
  const read = async (old: number): Promise<readonly Memory[]> => {
    const found = await before.read(old), place = { rank: old, size: before.size };
    buckets.forEach((bucket, b) => {
      const like = freshMemory(compression, bucket, place);
      for (const name of ["worker", "server", "basis"] as const) {
        if (found[b]?.[name].length === like[name].length) continue;
        throw new RangeError(
          `Cannot go on with what rank ${old} of ${before.size} remembers: ${name} of bucket ${b} has ${
            found[b]?.[name].length
          } elements, it must have ${like[name].length}`,
        );
      }
    });
    return found;
  };
  if (before.size === size) return await read(rank);
  const moved = buckets.map((bucket) => freshMemory(compression, bucket, { rank, size }));
  for (let old = 0; old < (rank === 0 ? before.size : 1); old++) {
    (await read(old)).forEach(({ worker, server, basis }, b) => {
      moved[b]!.basis.set(basis);
      if (rank > 0) return;
      const mine = moved[b]!.worker, place = { rank: old, size: before.size };
      const { from, to } = compression.chunk(buckets[b]!, place), chunk = mine.subarray(from, to);
      combines.sum(mine, mine, worker);
      combines.sum(chunk, chunk, server);
    });
  }
  return moved;
}
