/**
 * Sums whose bytes are codes, with the errors of both ways remembered.
 *
 * Rank c sums chunk c in f32 from what the others send it in codes and what it has itself; the sums go round the ring in codes, and
 * everybody, rank c too, takes those. What a rank's codes do not say of its own numbers, and rank c's of the sum, is added the next time.
 *
 * Source: the errors of both ways are those of Tang et al. 2021 (1-bit Adam, arXiv 2102.02888).
 *
 * @module
 */
import { combines } from "../message/combine.ts";
import { swap } from "../parallel/swap.ts";
import { chunksOf, type Codec, codedBytes, decodeBlocks, encodeBlocks } from "./codec.ts";
import type { Compression } from "./memory.ts";

/** Sums by a codec. A rank alone sends nothing, and says all. */
export function codedSum(codec: Codec): Compression {
  return {
    chunk: (bucket, { rank, size }) => chunksOf(bucket, codec.block, size)[rank]!,
    basis: () => new Float32Array(0),
    async sum(group, array, bucket, { worker, server, basis }) {
      const { rank, size } = group, chunks = chunksOf(bucket, codec.block, size);
      const own = chunks[rank]!, left = new Float32Array(array.length);
      combines.sum(left, array, worker);
      const bytes = chunks.map((chunk) => codedBytes(codec, chunk)), most = Math.max(...bytes);
      const codes = bytes.map((n) => new Uint8Array(n));
      const rooms = bytes.map(() => new Uint8Array(bytes[rank]!));
      const sum = left.slice(own.from, own.to);
      left.fill(0, own.from, own.to); // what a rank tells itself is all
      combines.sum(sum, sum, server);
      if (size === 1) {
        array.set(sum);
        return { worker: left, server: new Float32Array(sum.length), basis };
      }
      chunks.forEach((chunk, r) => {
        if (r !== rank) encodeBlocks(codec, left, chunk, codes[r]!);
      });
      await swap(group, (r) => codes[r]!, (r) => rooms[r]!);
      // Each in its own chunk of the array, which is free now; in the order of ranks, though they come as they like.
      const theirs = array.subarray(own.from, own.to);
      for (let r = 0; r < size; r++) {
        if (r === rank) continue;
        decodeBlocks(codec, rooms[r]!, own, array);
        combines.sum(sum, sum, theirs);
      }
      // Chunks differ by a block; in the ring all have the longest one's room.
      const all = new Uint8Array(size * most), mine = all.subarray(rank * most);
      array.set(sum, own.from);
      encodeBlocks(codec, array, own, mine.subarray(0, bytes[rank]!));
      const rest = array.slice(own.from, own.to);
      await group.allGather(all);
      chunks.forEach((chunk, r) =>
        decodeBlocks(codec, all.subarray(r * most, r * most + bytes[r]!), chunk, array)
      );
      return { worker: left, server: rest, basis };
    },
  };
}
