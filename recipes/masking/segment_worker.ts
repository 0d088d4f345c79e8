/**
 * A worker that segments what it is sent.
 *
 * @module
 */
import { type SegmentSettings, wordStarts } from "./segment_words.ts";

/** A piece of text to segment. */
export interface SegmentRequest {
  readonly text: string;
  readonly settings: SegmentSettings;
}

self.onmessage = ({ data }: MessageEvent<SegmentRequest>): void => {
  const starts = wordStarts(data.text, data.settings);
  self.postMessage(starts, [starts.buffer]);
};
