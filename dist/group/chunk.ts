/**
 * How an array is divided among ranks, and into messages.
 *
 * @module
 */

/** Elements from one index up to another. */
export interface Span {
  /** The first. */
  readonly from: number;
  /** The first after it. */
  readonly to: number;
}

/** Bytes of a message: large enough that its cost is small, small enough that sending, receiving and adding go on side by side. */
export const SEGMENT = 1 << 20;

/**
 * The part of an array of `length` elements that belongs to a rank; parts differ by one element at most.
 *
 * @example
 * ```ts
 * import { chunkOf } from "./chunk.ts";
 * console.log(chunkOf(10, 1, 3)); // { from: 3, to: 6 }
 * ```
 */
export function chunkOf(length: number, rank: number, size: number): Span {
  return { from: Math.floor(length * rank / size), to: Math.floor(length * (rank + 1) / size) };
}

/** The messages that elements of `width` bytes are sent in. */
export function segmentsOf({ from, to }: Span, width: number): readonly Span[] {
  const step = SEGMENT / width;
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => ({
    from: from + i * step,
    to: Math.min(to, from + (i + 1) * step),
  }));
}
