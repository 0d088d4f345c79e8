/**
 * Text as training sees it: one long row of token ids.
 *
 * @module
 */

/** Token ids: two bytes each where the vocabulary allows it. */
export type TokenIds = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The tokens of many documents, each document closed by [SEP]. */
export interface TokenStream {
  readonly ids: TokenIds;
  /** 1 where a word begins; [SEP] counts as a word. A mask needs no segmenter: it has this. */
  readonly starts: Uint8Array<ArrayBuffer>;
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

/** An empty stream for ids below `vocabularySize`; it grows as it is filled. */
export function streamBuilder(vocabularySize: number, sep: number): StreamBuilder {
  const Ids = vocabularySize > 0x10000 ? Uint32Array : Uint16Array;
  let ids: TokenIds = new Ids(1 << 16);
  let starts = new Uint8Array(ids.length);
  let length = 0;
  let documents = 0;

  // `transfer` grows and shrinks in place where the allocator can: no second copy of a large corpus.
  function resize(capacity: number): void {
    ids = new Ids(ids.buffer.transfer(capacity * Ids.BYTES_PER_ELEMENT));
    starts = new Uint8Array(starts.buffer.transfer(capacity));
  }

  function push(id: number, start: boolean): void {
    if (length === ids.length) resize(length + (length >> 1));
    ids[length] = id;
    starts[length++] = start ? 1 : 0;
  }

  return {
    push,
    close(): void {
      push(sep, true);
      documents++;
    },
    build(): TokenStream {
      resize(length);
      return { ids, starts, documents };
    },
  };
}
