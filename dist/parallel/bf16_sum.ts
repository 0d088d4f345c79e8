/**
 * An all-reduce of f32 whose bytes are bf16: half of them, and every number is rounded twice, whatever the number of ranks.
 *
 * Rank c sums chunk c in f32, in the order of ranks, from what the others send it rounded and what it has itself unrounded; the sums go
 * round the ring rounded, and everybody, rank c too, takes those: the same bits everywhere.
 *
 * @module
 */
import { chunkOf } from "../group/chunk.ts";
import { combines } from "../message/combine.ts";
import type { Collective } from "./alone.ts";
import { fromBf16, toBf16 } from "./bf16.ts";
import { swap } from "./swap.ts";

/** Everybody gets the sum, in place. The error is at most 2^-7 of the sum of all ranks' absolute values, and a hair. */
export async function bf16AllReduce(group: Collective, array: Float32Array): Promise<void> {
  const { rank, size } = group, { length } = array;
  if (size === 1) return;
  const all = new Uint16Array(length), own = chunkOf(length, rank, size);
  toBf16(array, all);
  const rooms = Array.from({ length: size }, () => new Uint16Array(own.to - own.from));
  await swap(group, (r) => {
    const { from, to } = chunkOf(length, r, size);
    return all.subarray(from, to);
  }, (r) => rooms[r]!);

  const sum = new Float32Array(own.to - own.from), theirs = new Float32Array(sum.length);
  for (let r = 0; r < size; r++) {
    if (r === rank) theirs.set(array.subarray(own.from, own.to));
    else fromBf16(rooms[r]!, theirs);
    combines.sum(sum, sum, theirs);
  }
  toBf16(sum, all.subarray(own.from, own.to));
  await group.allGather(all);
  fromBf16(all, array);
}
