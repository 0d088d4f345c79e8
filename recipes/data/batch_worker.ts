/**
 * A worker that makes the batches that it is asked for.
 *
 * @module
 */
import type { Vocabulary } from "../text/vocabulary.ts";
import { type Batch, type BatchSettings, trainBatches } from "./batches.ts";
import type { PackedSet } from "./pack.ts";

/** What batches are made of. Sending it copies no token: they are in shared memory. */
export interface BatchSource {
  readonly set: PackedSet;
  readonly vocabulary: Vocabulary;
  readonly settings: BatchSettings;
}

/** Rows [from, to) of the batch of a step. */
export interface BatchPart {
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/** First the source, then any number of parts. */
export type BatchRequest = { readonly source: BatchSource } | { readonly part: BatchPart };

/** A reply to each part, in order: the batch, or why there is none. */
export type BatchReply = { readonly batch: Batch } | { readonly error: string };

let batches: ReturnType<typeof trainBatches> | undefined;

/** What moves to the loop without a copy. */
function buffersOf({ ids, keep, positions, labels, weights }: Batch): ArrayBuffer[] {
  return [ids.buffer, keep.buffer, positions.buffer, labels.buffer, weights.buffer];
}

function answer({ step, from, to }: BatchPart): BatchReply {
  try {
    if (!batches) return { error: "it was asked for before its source was known" };
    return { batch: batches(step, from, to) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

self.onmessage = ({ data }: MessageEvent<BatchRequest>): void => {
  if ("source" in data) {
    const { set, vocabulary, settings } = data.source;
    batches = trainBatches(set, vocabulary, settings);
    return;
  }
  const reply = answer(data.part);
  self.postMessage(reply, "batch" in reply ? buffersOf(reply.batch) : []);
};
