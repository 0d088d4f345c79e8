/**
 * Numbers in a few bits each, block by block: every block has a scale of its own, a bf16, and lies within one leaf.
 *
 * @module
 */
import { chunkOf, type Span } from "../group/chunk.ts";
import { fromBf16, toBf16 } from "../parallel/bf16.ts";
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
  /** The scale of a block, before it is rounded. */
  scale(values: Float32Array): number;
  /** Writes the elements of a block, from bit `at · bits` of `codes`, which are 0, on; leaves in `values` what was not said. */
  encode(values: Float32Array, scale: number, codes: Uint8Array, at: number): void;
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

/** Bytes of such blocks: scales, then codes, up to an even number. */
export function codedBytes({ bits }: Codec, { from, to, ends }: Blocks): number {
  return 2 * ends.length + 2 * Math.ceil((to - from) * bits / 16);
}

const scalesOf = (bytes: Uint8Array, { ends }: Blocks): Uint16Array =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, ends.length);

/** Writes blocks of `bucket`, in which what was not said is left. */
export function encodeBlocks(
  codec: Codec,
  bucket: Float32Array,
  blocks: Blocks,
  into: Uint8Array,
): void {
  const scales = new Float32Array(blocks.ends.length), codes = into.subarray(2 * scales.length);
  each(blocks, bucket, (values, b) => scales[b] = codec.scale(values));
  toBf16(scales, scalesOf(into, blocks));
  fromBf16(scalesOf(into, blocks), scales);
  codes.fill(0);
  each(blocks, bucket, (values, b, at) => codec.encode(values, scales[b]!, codes, at));
}

/** Reads blocks into `bucket`. */
export function decodeBlocks(
  codec: Codec,
  bytes: Uint8Array,
  blocks: Blocks,
  bucket: Float32Array,
): void {
  const scales = new Float32Array(blocks.ends.length), codes = bytes.subarray(2 * scales.length);
  fromBf16(scalesOf(bytes, blocks), scales);
  each(blocks, bucket, (values, b, at) => codec.decode(codes, at, scales[b]!, values));
}

/** Every block: its elements, its number, and how many elements came before it. */
function each(
  { from, ends }: Blocks,
  bucket: Float32Array,
  f: (values: Float32Array, block: number, at: number) => void,
): void {
  let at = 0;
  ends.forEach((to, b) => {
    const values = bucket.subarray(from + at, to);
    f(values, b, at);
    at += values.length;
  });
}
