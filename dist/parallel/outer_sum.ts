/**
 * What DiLoCo's outer parameters travel as, and their sum over ranks.
 *
 * @module
 */
import type { Codec } from "../compress/codec.ts";
import { codedSum } from "../compress/coded_sum.ts";
import { int4 } from "../compress/int4.ts";
import { int8 } from "../compress/int8.ts";
import { freshMemory } from "../compress/memory.ts";
import type { Span } from "../group/chunk.ts";
import type { Collective } from "./alone.ts";
import { bf16AllReduce } from "./bf16_sum.ts";
import type { Bucket } from "./buckets.ts";

/** What a rank's parameters may travel as. */
export const outerWires = ["f32", "bf16", "int8", "int4"] as const;
/** One of them: as f32 parameters travel themselves, otherwise their differences from the outer ones. */
export type OuterWire = typeof outerWires[number];

/** Puts the sum over ranks in place of a bucket's `array`. */
type Sum = (group: Collective, array: Float32Array, bucket: Bucket) => Promise<unknown>;

/** The sum by each wire. */
export const outerSums: Readonly<Record<OuterWire, Sum>> = {
  f32: (group, array) => group.allReduce(array),
  bf16: bf16AllReduce,
  int8: sumByCodes(int8),
  int4: sumByCodes(int4),
};

/** Sums that remember nothing: what the codes do not say of a difference is lost, but for the share of itself that a rank keeps. */
function sumByCodes(codec: Codec): Sum {
  const compression = codedSum(codec);
  return (group, array, bucket) =>
    compression.sum(group, array, bucket, freshMemory(compression, bucket, group));
}

/** A span of leaves in a row, as a bucket whose parts end where leaves do. */
export function spanBucket(lengths: readonly number[], span: Span): Bucket {
  let end = 0;
  const parts = lengths.flatMap((length, leaf) => {
    const from = Math.max(span.from, end), to = Math.min(span.to, end += length);
    return from < to ? [{ leaf, at: from - span.from, length: to - from }] : [];
  });
  return { length: span.to - span.from, parts };
}
