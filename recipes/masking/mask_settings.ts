/**
 * How much is masked, in which units, and by what.
 *
 * @module
 */
import type { PolicyName } from "./policies.ts";

/** How often each kind of unit is chosen; they sum to 1. */
export interface UnitShares {
  /** A word. */
  readonly word: number;
  /** A phrase of the dictionary: several words that belong together; a word where none is left. */
  readonly phrase: number;
  /** One to four words in a row, 40, 30, 20 and 10 % (MacBERT). */
  readonly ngram: number;
  /** One to ten words in a row, each length 0.8 times as often as the one before (SpanBERT). */
  readonly span: number;
}

/** How much is masked, and how. */
export interface MaskSettings {
  /** The share of ordinary tokens that is predicted. */
  readonly share: number;
  readonly units: UnitShares;
  readonly policy: PolicyName;
  /** Roll for a unit as a whole, or for each of its tokens. */
  readonly dice: "unit" | "token";
}

/** 15 % of the tokens, words, 80/10/10 by the word. */
export const MASK_SETTINGS: MaskSettings = {
  share: 0.15,
  units: { word: 1, phrase: 0, ngram: 0, span: 0 },
  policy: "bert",
  dice: "unit",
};

/** How held-out text is masked, whatever a model is trained on: perplexities of two runs are of the same question. */
export const HELD_OUT_MASK: MaskSettings = MASK_SETTINGS;

/** MacBERT's lengths of an n-gram, from one word on. Source: arXiv 2004.13922, section 3.1. */
export const NGRAM_LENGTHS: readonly number[] = [0.4, 0.3, 0.2, 0.1];

const GEOMETRIC = Array.from({ length: 10 }, (_, i) => 0.2 * 0.8 ** i);
const ALL = GEOMETRIC.reduce((sum, p) => sum + p, 0);
/** Geo(0.2) up to ten, mean 3.8. Source: SpanBERT, arXiv 1907.10529, section 3.1. */
export const SPAN_LENGTHS: readonly number[] = GEOMETRIC.map((p) => p / ALL);

/** Tokens by which the last unit of a sequence may go over its share: phrases and n-grams, and spans of up to ten words. */
const OVER = 8, OVER_SPAN = 16;

/** Places for predictions in a sequence of T tokens. */
export function predictions(T: number, { share, units }: MaskSettings): number {
  const over = units.word === 1 ? 0 : units.span > 0 ? OVER_SPAN : OVER;
  return Math.max(1, Math.ceil(share * T)) + over;
}
