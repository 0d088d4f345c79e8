/**
 * Documents from their tokens.
 *
 * @module
 */
import { tokenParts, type TokenStore } from "../data/token_store.ts";
import { tokenizer } from "../text/tokenize.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Documents that are read at most. */
const MOST = 50_000;

/** The first documents of a store as text, as far as the vocabulary knows them. */
export function documentsOf(store: TokenStore, vocabulary: Vocabulary): readonly string[] {
  const { decode } = tokenizer(vocabulary), found: string[] = [];
  for (const { ids } of tokenParts(store)) {
    for (let from = 0; from < ids.length && found.length < MOST;) {
      let to = ids.indexOf(vocabulary.sep, from);
      if (to < 0) to = ids.length;
      found.push(decode(ids.subarray(from, to)));
      from = to + 1;
    }
    if (found.length >= MOST) break;
  }
  return found;
}
