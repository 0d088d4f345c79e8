/**
 * Text as training sees it: one long row of token ids.
 *
 * @module
 */

/** Token ids: two bytes each where the vocabulary allows it. */
export type TokenIds = Uint16Array<SharedArrayBuffer> | Uint32Array<SharedArrayBuffer>;

/** The tokens of many documents, each document closed by [SEP]. In shared memory: workers read it where it is. */
export interface TokenStream {
  readonly ids: TokenIds;
  /** 1 where a word begins; [SEP] counts as a word. A mask needs no segmenter: it has this. */
  readonly starts: Uint8Array<SharedArrayBuffer>;
  /** How many documents there are. */
  readonly documents: number;
}

/** Collects tokens. */
export interface StreamBuilder {
  push(id: number, start: boolean): void;
  /** Closes a document. */
  close(): void;
  /** The stream; nothing can be pushed after it. */
  build(): TokenStream;
}

/** Tokens of a part of a stream that is being built. */
const PART = 1 << 16;

/** Room for the ids and the word starts of `length` tokens. */
export function emptyStream(
  vocabularySize: number,
  length: number,
): Pick<TokenStream, "ids" | "starts"> {
  const ids = vocabularySize > 0x10000
    ? new Uint32Array(new SharedArrayBuffer(4 * length))
    : new Uint16Array(new SharedArrayBuffer(2 * length));
  return { ids, starts: new Uint8Array(new SharedArrayBuffer(length)) };
}

/** An empty stream for ids below `vocabularySize`; it grows as it is filled. */
export function streamBuilder(vocabularySize: number, sep: number): StreamBuilder {
  // Shared memory does not shrink, so the tokens are gathered in parts.
  const parts: Pick<TokenStream, "ids" | "starts">[] = [];
  let part = emptyStream(vocabularySize, 0);
  let at = PART;
  let documents = 0;

  function push(id: number, start: boolean): void {
    if (at === PART) {
      parts.push(part = emptyStream(vocabularySize, PART));
      at = 0;
    }
    part.ids[at] = id;
    part.starts[at++] = start ? 1 : 0;
  }

  return {
    push,
    close(): void {
      push(sep, true);
      documents++;
    },
    build(): TokenStream {
      const length = parts.length * PART + at - PART;
      const { ids, starts } = emptyStream(vocabularySize, length);
      for (let from = 0; from < length; from += PART) {
        const filled = parts.shift()!, size = Math.min(PART, length - from);
        ids.set(filled.ids.subarray(0, size), from);
        starts.set(filled.starts.subarray(0, size), from);
      }
      return { ids, starts, documents };
    },
  };
}
