/**
 * Gradients are exchanged in buckets of many leaves: fewer and longer messages, and the first is on its way while the next is packed.
 *
 * The plan is a function of the leaves' lengths alone: all ranks have the same one, in every step.
 *
 * @module
 */
import { crc32 } from "node:zlib";

/** Bytes of a bucket, at most, where no leaf alone has more. */
export const BUCKET_BYTES = 25 << 20;

/** One leaf in a bucket. */
export interface BucketPart {
  /** Which leaf, in their order. */
  readonly leaf: number;
  /** Its first element's place. */
  readonly at: number;
  /** Its elements. */
  readonly length: number;
}

/** Leaves that are exchanged as one array of f32. */
export interface Bucket {
  /** Elements. */
  readonly length: number;
  /** In the order in which leaves travel. */
  readonly parts: readonly BucketPart[];
}

/**
 * The buckets for leaves of these lengths, or some of them. The last leaves come first, whose gradients are ready first, where `order`
 * says nothing else.
 *
 * @example
 * ```ts
 * import { bucketsOf } from "./buckets.ts";
 * const [first, second] = bucketsOf([10, 20, 5], 100);
 * console.log(first!.parts.map(({ leaf }) => leaf), second!.length); // [ 2, 1 ] 10
 * ```
 */
export function bucketsOf(
  lengths: readonly number[],
  bytes: number = BUCKET_BYTES,
  has: (leaf: number) => boolean = () => true,
  order: readonly number[] = [...lengths.keys()].reverse(),
): readonly Bucket[] {
  const most = bytes / Float32Array.BYTES_PER_ELEMENT;
  const buckets: { length: number; readonly parts: BucketPart[] }[] = [];
  for (const leaf of order) {
    if (!has(leaf)) continue;
    const length = lengths[leaf]!, last = buckets.at(-1);
    const bucket = last && last.length + length <= most ? last : { length: 0, parts: [] };
    if (bucket !== last) buckets.push(bucket);
    bucket.parts.push({ leaf, at: bucket.length, length });
    bucket.length += length;
  }
  return buckets;
}

/** 32 bits of hash of what ranks must agree on, for a membership's `plan`: the leaves, and whatever else is told. */
export function planHash(lengths: readonly number[], ...others: readonly unknown[]): number {
  return crc32(JSON.stringify([lengths, ...others])) >>> 0;
}
