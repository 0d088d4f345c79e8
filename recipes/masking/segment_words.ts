/**
 * Word boundaries in Chinese text, by jieba's dictionary and maximum-probability path.
 *
 * @module
 */
import { cut } from "npm:jieba-wasm@2.4.0";

/** How words are found. */
export interface SegmentSettings {
  /**
   * Join characters that the dictionary does not know into new words by jieba's hidden Markov model: right for modern
   * names and terms, wrong for classical verse, where it makes words that are none.
   */
  readonly newWords: boolean;
}

/**
 * One byte for every UTF-16 unit of `text`: 1 where a word begins.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { wordStarts } from "./segment_words.ts";
 *
 * assertEquals([...wordStarts("我们学习中文", { newWords: true })], [1, 0, 1, 0, 1, 0]);
 * ```
 */
export function wordStarts(text: string, settings: SegmentSettings): Uint8Array<ArrayBuffer> {
  const starts = new Uint8Array(text.length);
  let at = 0;
  let from = 0;
  // Line by line: jieba's time per character grows with the length of what it is given.
  while (from < text.length) {
    const newline = text.indexOf("\n", from);
    const to = newline < 0 ? text.length : newline + 1;
    for (const word of cut(text.slice(from, to), settings.newWords)) {
      starts[at] = 1;
      at += word.length;
    }
    from = to;
  }
  if (at !== text.length) {
    throw new RangeError(`Cannot segment ${text.length} characters: the words found have ${at}`);
  }
  return starts;
}
