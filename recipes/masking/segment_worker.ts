/**
 * A worker that segments what it is sent.
 *
 * @module
 */
import { answer } from "../run/worker_pool.ts";
import { loadSegmenter, type SegmentSettings } from "./segment_words.ts";

/** A piece of text to segment. */
export interface SegmentQuestion {
  readonly text: string;
  readonly settings: SegmentSettings;
}

/** Where its words begin. */
export type SegmentAnswer = Uint8Array<ArrayBuffer>;

const loading = loadSegmenter();
loading.catch(() => {}); // said in the reply to the first question

answer(
  async ({ text, settings }: SegmentQuestion): Promise<SegmentAnswer> =>
    (await loading)(text, settings),
  (starts) => [starts.buffer],
);
