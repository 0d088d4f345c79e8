/**
 * Packs a token stream into sequences of one length.
 *
 * A sequence is [CLS] and the next piece of the stream: whole documents, each closed by [SEP], and the begin of one more,
 * cut where a word begins, which goes on in the next sequence; [SEP] closes a cut piece too. Tokens attend across documents, as
 * in RoBERTa's FULL-SENTENCES (arXiv 1907.11692, section 4.2): neighbours in a corpus are often about the same. Nearly nothing is padding.
 *
 * @module
 */
import type { Vocabulary } from "../text/vocabulary.ts";
import { tokenParts, tokensOf, type TokenStore } from "./token_store.ts";
import type { TokenStream } from "./token_stream.ts";

/** Sequences that are seen equally often. */
export interface PackedPart {
  /** How many sequences there are up to its end. */
  readonly end: number;
  /** How often each of its sequences is seen in an epoch, on average. */
  readonly weight: number;
}

/**
 * Sequences of at most T tokens, as pieces of a store. The store is shared: packing again for another T costs little, and
 * sending a set to a worker copies nothing.
 */
export interface PackedSet {
  readonly T: number;
  readonly store: TokenStore;
  /** Sequence i holds the store's tokens from `begins[i]` to `begins[i + 1]`. */
  readonly begins: Float64Array<SharedArrayBuffer>;
  readonly parts: readonly PackedPart[];
  readonly cls: number;
  readonly sep: number;
  readonly pad: number;
}

/** How many sequences there are. */
export function sequences({ begins }: PackedSet): number {
  return begins.length - 1;
}

/** Where the sequences of a part of a store begin, from 0 on, without the first 0. */
function ends({ ids, starts }: Pick<TokenStream, "ids" | "starts">, sep: number, T: number) {
  const found: number[] = [];
  for (let begin = 0; begin < ids.length;) {
    let end = Math.min(begin + T - 1, ids.length);
    if (ids[end - 1] !== sep) {
      end = begin + T - 2; // room for [SEP]
      while (end > begin && starts[end] === 0) end--;
      if (end === begin) end = begin + T - 2; // a word longer than the sequence
    }
    found.push(end);
    begin = end;
  }
  return found;
}

/**
 * Packs a store. Where it is in files no sequence goes from one into the next.
 *
 * Shapes: sequences of T tokens, [CLS] and [SEP] among them.
 *
 * @throws RangeError where T has no room for a token between [CLS] and [SEP].
 */
export function pack(store: TokenStore, vocabulary: Vocabulary, T: number): PackedSet {
  if (!Number.isInteger(T) || T < 3) {
    throw new RangeError(`Cannot pack sequences of ${T} tokens: at least 3 are needed`);
  }
  const { cls, sep, pad } = vocabulary, begins = [0], parts: PackedPart[] = [];
  let before = 0;
  for (const { ids, starts, weight } of tokenParts(store)) {
    for (const end of ends({ ids, starts }, sep, T)) begins.push(before + end);
    before += ids.length;
    parts.push({ end: begins.length - 1, weight });
  }
  const shared = new Float64Array(new SharedArrayBuffer(8 * begins.length));
  shared.set(begins);
  return { T, store, begins: shared, parts, cls, sep, pad };
}

/**
 * Writes sequence `index` to `ids` from `at` on, padded to T, and its word starts to `starts` (from 0 on). Returns its length.
 */
export function writeSequence(
  set: PackedSet,
  index: number,
  ids: Int32Array,
  at: number,
  starts: Uint8Array,
): number {
  const from = set.begins[index]!;
  const to = set.begins[index + 1]!;
  ids[at] = set.cls;
  starts[0] = 1;
  const tokens = tokensOf(set.store, from, to);
  ids.set(tokens.ids, at + 1);
  starts.set(tokens.starts, 1);
  let length = 1 + to - from;
  if (ids[at + length - 1] !== set.sep) {
    ids[at + length] = set.sep;
    starts[length++] = 1;
  }
  starts[1] = 1; // the rest of a word that was cut is a word
  ids.fill(set.pad, at + length, at + set.T);
  return length;
}
