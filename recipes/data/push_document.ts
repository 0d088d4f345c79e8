/**
 * A document to tokens of a stream.
 *
 * @module
 */
import type { Tokenizer } from "../text/tokenize.ts";
import type { StreamBuilder } from "./token_stream.ts";

/**
 * Pushes the tokens of `text[from, to)` and closes the document; `starts` is 1 where a word begins. Gives how many are [UNK].
 *
 * Pieces of one word share their start: only the first of them can begin a word. Where the segmenter begins a word inside a token, the
 * token stays whole.
 */
export function pushDocument(
  stream: StreamBuilder,
  { tokenize, vocabulary }: Tokenizer,
  text: string,
  starts: Uint8Array,
  from = 0,
  to: number = text.length,
): number {
  let last = -1, unknown = 0;
  tokenize(
    text,
    (id, start) => {
      stream.push(id, start !== last && (last < 0 || starts[start] === 1));
      last = start;
      if (id === vocabulary.unk) unknown++;
    },
    from,
    to,
  );
  stream.close();
  return unknown;
}
