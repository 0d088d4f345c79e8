/**
 * Numbers in a few bits each, block by block: every block has a scale of its own, an f32, and lies within one leaf.
 *
 * @module
 */
import { chunkOf, type Span } from "../group/chunk.ts";
import type { Bucket } from "../parallel/buckets.ts";

/** Blocks that follow one another. */
export interface Blocks extends Span {
  /** The first element after each, counted in the bucket. */
  readonly ends: readonly number[];
}

/** A way to write blocks. What is not finite makes its whole block so. */
export interface Codec {
  /** Elements of a block, at most. */
  readonly block: number;
  /** Bits of an element, beside the scales. */
  readonly bits: number;
  /** Writes the elements of a block, from bit `at · bits` of `codes` on; gives its scale, and leaves in `values` what was not said. */
  encode(values: Float32Array, codes: Uint8Array, at: number): number;
  /** Reads them. */
  decode(codes: Uint8Array, at: number, scale: number, values: Float32Array): void;
}

/** The blocks of a bucket, a chunk a rank: chunks are about as long as each other. */
export function chunksOf(
  { length, parts }: Bucket,
  block: number,
  size: number,
): readonly Blocks[] {
  const ends: number[] = [];
  for (const { at, length } of parts) {
    for (let i = 0; i < length; i += block) ends.push(at + Math.min(length, i + block));
  }
  let first = 0, from = 0;
  return Array.from({ length: size }, (_, rank) => {
    const goal = chunkOf(length, rank, size).to, start = first;
    while (first < ends.length && ends[first]! <= goal) first++;
    const chunk = { from, to: ends[first - 1] ?? 0, ends: ends.slice(start, first) };
    from = chunk.to;
    return chunk;
  });
}

/** Bytes of such blocks: scales, then codes, up to a whole number of words. */
export function codedBytes({ bits }: Codec, { from, to, ends }: Blocks): number {
  return 4 * ends.length + 4 * Math.ceil((to - from) * bits / 32);
}

const scalesOf = (bytes: Uint8Array, { ends }: Blocks): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, ends.length);

/** Writes blocks of `bucket`, in which what was not said is left. */
export function encodeBlocks(
  codec: Codec,
  bucket: Float32Array,
  blocks: Blocks,
  into: Uint8Array,
): void {
  const scales = scalesOf(into, blocks), codes = into.subarray(4 * blocks.ends.length);
  codes.fill(0);
  let from = blocks.from;
  blocks.ends.forEach((to, b) => {
    scales[b] = codec.encode(bucket.subarray(from, to), codes, from - blocks.from);
    from = to;
  });
}

/** Reads blocks into `bucket`. */
export function decodeBlocks(
  codec: Codec,
  bytes: Uint8Array,
  blocks: Blocks,
  bucket: Float32Array,
): void {
  const scales = scalesOf(bytes, blocks), codes = bytes.subarray(4 * blocks.ends.length);
  let from = blocks.from;
  blocks.ends.forEach((to, b) => {
    codec.decode(codes, from - blocks.from, scales[b]!, bucket.subarray(from, to));
    from = to;
  });
}
