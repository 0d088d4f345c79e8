/**
 * What BERT's normaliser and pre-tokenizer do to one character: drop it, treat it as a space, make it a token of its own,
 * or let it be a part of a word. Deciding by the character, once, is what makes tokenizing fast: text in the basic plane
 * is classified by one table look-up.
 *
 * Source: `BasicTokenizer` of github.com/google-research/bert (tokenization.py).
 *
 * @module
 */

/** Controls, formats, private use, lone surrogates, U+0000, U+FFFD, combining marks: nothing is left of them. */
export const DROP = 1;
/** White space: ends a word. */
export const SPACE = 2;
/** A Chinese character or a punctuation mark: a token of its own. */
export const SINGLE = 3;
/** Anything else: a part of a word. */
export const PART = 4;
/** DROP, SPACE, SINGLE or PART. */
export type Kind = typeof DROP | typeof SPACE | typeof SINGLE | typeof PART;

const DROPPED = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
const PUNCTUATION = /^[\p{P}!-/:-@[-`{-~]$/u;

/** Is this code point a Chinese character in BERT's sense (Han, without Kana and Hangul)? */
export function isChinese(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0xf900 && code <= 0xfaff) || (code >= 0x20000 && code <= 0x2fa1f) ||
    (code >= 0x30000 && code <= 0x323af);
}

const kinds = new Uint8Array(0x10000);
const rewritten = new Map<number, string>();

function classify(code: number): Kind {
  const character = String.fromCodePoint(code);
  if (/\s/.test(character) && code !== 0xfeff) return SPACE;
  if (code === 0xfffd || DROPPED.test(character)) return DROP;
  // Lower case and no accents: é, É and e are one letter.
  const plain = character.toLowerCase().normalize("NFD").replace(/\p{Mn}/gu, "");
  if (plain !== character) rewritten.set(code, plain);
  if (plain === "") return DROP;
  return isChinese(code) || PUNCTUATION.test(plain) ? SINGLE : PART;
}

/** The kind of a code point. */
export function kindOf(code: number): Kind {
  if (code > 0xffff) return classify(code);
  return (kinds[code] ||= classify(code)) as Kind;
}

/** A code point in lower case and without accents; several characters or none for a few. */
export function plainOf(code: number): string {
  kindOf(code);
  return rewritten.get(code) ?? String.fromCodePoint(code);
}

/** Is the code point its own `plainOf`? */
export function isPlain(code: number): boolean {
  kindOf(code);
  return !rewritten.has(code);
}
