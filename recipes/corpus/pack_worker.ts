/**
 * A worker of `pack`: segments and tokenizes a shard.
 *
 * @module
 */
import { pushDocument } from "../data/push_document.ts";
import { streamBuilder, type TokenIds } from "../data/token_stream.ts";
import { loadSegmenter } from "../masking/segment_words.ts";
import { answer } from "../run/worker_pool.ts";
import { type Tokenizer, tokenizer } from "../text/tokenize.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { documentsIn } from "./documents_in.ts";

/** A shard's bytes, and how they become tokens. */
export interface PackQuestion {
  readonly jsonl: Uint8Array<ArrayBuffer>;
  readonly vocabulary: Vocabulary;
  /** 1 for a document that is held out. */
  readonly held: Uint8Array;
}

/** Tokens of the documents to train on, or of those that are held out. */
export interface PackedTokens {
  /** In shared memory, which is not copied on its way. */
  readonly ids: TokenIds;
  readonly starts: Uint8Array<SharedArrayBuffer>;
  readonly documents: number;
  readonly unknown: number;
}

/** Both. */
export interface PackAnswer {
  readonly train: PackedTokens;
  readonly heldOut: PackedTokens;
}

const loading = loadSegmenter();
loading.catch(() => {}); // said in the reply to the first question
let known: Tokenizer | undefined;

answer(async ({ jsonl, vocabulary, held }: PackQuestion): Promise<PackAnswer> => {
  const wordStarts = await loading, tokens = known ??= tokenizer(vocabulary);
  const { texts } = documentsIn(jsonl);
  const of = (wanted: 0 | 1): PackedTokens => {
    const stream = streamBuilder(vocabulary.tokens.length, vocabulary.sep);
    let unknown = 0;
    texts.forEach((text, i) => {
      if (held[i] !== wanted) return;
      unknown += pushDocument(stream, tokens, text, wordStarts(text, { newWords: true }));
    });
    return { ...stream.build(), unknown };
  };
  return { train: of(0), heldOut: of(1) };
});
