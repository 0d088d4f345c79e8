/**
 * Where each token of a text stands: answers that are parts of a text are taken from the text itself, never put together from tokens.
 *
 * @module
 */
import { DROP, kindOf, SINGLE, SPACE } from "../text/characters.ts";
import type { Tokenizer } from "../text/tokenize.ts";

/** A part of a text, [start, end). Units: UTF-16. */
export type Place = readonly [start: number, end: number];

/** Tokens of a text, and the place of each. */
export interface PlacedTokens {
  readonly ids: readonly number[];
  readonly places: readonly Place[];
}

/** Where a word or a character that begins at `start` ends, `limit` at most. */
function endOf(text: string, start: number, limit: number): number {
  const first = text.codePointAt(start)!, wide = first > 0xffff ? 2 : 1;
  if (kindOf(first) === SINGLE) return start + wide;
  let end = start + wide;
  for (let i = end; i < limit;) {
    const code = text.codePointAt(i)!, kind = kindOf(code);
    i += code > 0xffff ? 2 : 1;
    if (kind === SPACE) break;
    if (kind !== DROP) end = i;
  }
  return end;
}

/** The pieces of a word that stands in [start, end): each in its own place, where they are as long as the word. */
function piecePlaces(tokens: readonly string[], start: number, end: number): readonly Place[] {
  const lengths = tokens.map((token, i) => i > 0 ? token.length - 2 : token.length);
  const total = lengths.reduce((sum, n) => sum + n, 0);
  if (tokens.length === 1 || total !== end - start) return tokens.map(() => [start, end]);
  let at = start;
  return lengths.map((n) => [at, at += n]);
}

/** Tokens with places. A piece of a word whose letters were rewritten has the place of the whole word. */
export function placedTokens({ encode, vocabulary }: Tokenizer, text: string): PlacedTokens {
  const { ids, starts } = encode(text), places: Place[] = [];
  for (let i = 0; i < ids.length;) {
    const start = starts[i]!;
    let next = i + 1;
    while (next < ids.length && starts[next] === start) next++;
    const end = endOf(text, start, starts[next] ?? text.length);
    const tokens = ids.slice(i, next).map((id) => vocabulary.tokens[id]!);
    places.push(...piecePlaces(tokens, start, end));
    i = next;
  }
  return { ids, places };
}

/** Where a character stands, by its number among characters (code points), as Python counts them. Past the end, the end. */
export function utf16Index(text: string, characters: number): number {
  let at = 0;
  for (let n = 0; n < characters && at < text.length; n++) {
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return at;
}
