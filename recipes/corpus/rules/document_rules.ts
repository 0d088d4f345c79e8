/**
 * The rules that look at a whole document: each is one entry here.
 *
 * @module
 */
import { distinct } from "../../hash/distinct.ts";
import type { DocumentRule } from "./rule.ts";

/** Units: UTF-16. Rules that count shares say nothing about less. */
const ENOUGH = 100;

const short: DocumentRule = {
  kind: "document",
  name: "short",
  about: "fewer than 4 characters are left",
  drops: (text) => text.length < 4,
};

const GARBLED = /锟斤拷|烫烫烫|屯屯屯/g;
/** Boxes for characters that a font lacks; one or two are bullets. */
const BOXES = /[□〓]/g;

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

const broken: DocumentRule = {
  kind: "document",
  name: "broken",
  about: "more than 0.5 % of the characters were lost in some conversion, or 2 % are boxes",
  drops: (text, { lost }) =>
    lost + 3 * count(text, GARBLED) > 0.005 * text.length ||
    count(text, BOXES) > 2 + 0.02 * text.length,
};

const foreign: DocumentRule = {
  kind: "document",
  name: "foreign",
  about: "less than 60 % of the words and numbers are Chinese characters",
  drops: (_, { chinese, words }) => chinese === 0 || chinese < 0.6 * (chinese + words),
};

const STOPS = /[。！？!?；;…”」』）)，,、：:]/;

const punctuation: DocumentRule = {
  kind: "document",
  name: "punctuation",
  about: "more than 40 % marks, or none in 400 characters",
  drops: (text, { marks }) =>
    text.length > 400 && !STOPS.test(text) || text.length >= 20 && marks > 0.4 * text.length,
};

const found = distinct();

/** How many different characters are among the first so many. */
function characters(text: string, end: number): number {
  let count = 0;
  found.clear(end);
  for (let i = 0; i < end; i++) if (found.add(text.charCodeAt(i))) count++;
  return count;
}

/** Units: characters of the pieces that are compared. */
const PIECE = 8;
/** The prime of FNV-1a, for a rolling hash. */
const ROLL = 0x01000193;

/** Of a long text one piece in four is looked at, chosen by what it says: what is said twice is chosen twice or never. */
const LONG = 1000, CHOSEN = 3;

/** The share of the pieces of 8 characters that the text has had before. */
export function repeatedShare(text: string): number {
  const chosen = text.length < LONG ? 0 : CHOSEN;
  found.clear(text.length);
  // A rolling hash of 32 bits: as many pieces as a document has meet by chance too seldom to matter.
  let hash = 0, out = 1, pieces = 0, different = 0;
  for (let i = 1; i < PIECE; i++) out = Math.imul(out, ROLL);
  for (let i = 0; i < text.length; i++) {
    if (i >= PIECE) hash = hash - Math.imul(text.charCodeAt(i - PIECE), out) | 0;
    hash = Math.imul(hash, ROLL) + text.charCodeAt(i) | 0;
    if (i < PIECE - 1 || (hash >>> 16 & chosen) !== 0) continue;
    pieces++;
    if (found.add(hash)) different++;
  }
  return pieces === 0 ? 0 : 1 - different / pieces;
}

const repetition: DocumentRule = {
  kind: "document",
  name: "repetition",
  about: "more than 30 % is said twice, or it is made of few different characters",
  drops(text) {
    const { length } = text;
    if (length < ENOUGH) return length >= 10 && characters(text, length) < length / 5;
    return repeatedShare(text) > 0.3 || characters(text, Math.min(length, 2000)) < 25;
  },
};

const spam: DocumentRule = {
  kind: "document",
  name: "spam",
  about: "more than half of it was stamps, advertising, private data or boilerplate",
  drops: (_, { before, left }) => left > before / 2,
};

/** The document rules, in the order in which they are asked; the first that drops a document is counted. */
export const documentRules: readonly DocumentRule[] = [
  short,
  broken,
  foreign,
  punctuation,
  repetition,
  spam,
];
