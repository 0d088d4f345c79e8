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

/** Where its words begin, or why that cannot be said: a worker that throws would be gone without a word. */
export type SegmentReply = { readonly starts: Uint8Array } | { readonly error: string };

const loading = loadSegmenter();
loading.catch(() => {}); // said in the reply to the first request

self.onmessage = async ({ data }: MessageEvent<SegmentRequest>): Promise<void> => {
  const reply = (value: SegmentReply, moved: Transferable[] = []): void =>
    self.postMessage(value, moved);
  try {
    const wordStarts = await loading;
    const starts = wordStarts(data.text, data.settings);
    reply({ starts }, [starts.buffer]);
  } catch (error) {
    reply({ error: (error as Error).message });
  }
};
