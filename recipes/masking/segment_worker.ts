/**
 * A worker that segments what it is sent.
 *
 * @module
 */
import { loadSegmenter, type SegmentSettings } from "./segment_words.ts";

/** A piece of text to segment. */
export interface SegmentRequest {
  readonly text: string;
  readonly settings: SegmentSettings;
}

const loading = loadSegmenter();

self.onmessage = async ({ data }: MessageEvent<SegmentRequest>): Promise<void> => {
  const wordStarts = await loading;
  const starts = wordStarts(data.text, data.settings);
  self.postMessage(starts, [starts.buffer]);
};
