/**
 * What chosen words are replaced by.
 *
 * @module
 */

/** Shares of the chosen units; what is left over stays as it is, and is predicted too. */
export interface Policy {
  /** Becomes [MASK]. */
  readonly mask: number;
  /** Becomes random tokens. */
  readonly random: number;
  /** Becomes a synonym of as many tokens, word by word. */
  readonly synonym: number;
  /** Random tokens come as often as each other, or as count^0.75 in the corpus. */
  readonly draw: "uniform" | "unigram";
  /** What a word without a synonym becomes. */
  readonly without: "mask" | "random";
}

/**
 * The policies by name.
 *
 * - `bert`: 80 % [MASK], 10 % random, 10 % as it is (arXiv 1810.04805, section 3.1).
 * - `random`, `random-unigram`: all random, so that [MASK], which no later task sees, is never seen.
 * - `mac`: 80 % a synonym, or a random word where there is none (MacBERT, arXiv 2004.13922, section 3.1).
 * - `motian`: synonyms drawn from their distribution, [MASK] where there is none, random tokens as often as the corpus has them; the
 *   article says that synonyms drawn so work best, and no more.
 */
export const policies = {
  bert: { mask: 0.8, random: 0.1, synonym: 0, draw: "uniform", without: "mask" },
  random: { mask: 0, random: 1, synonym: 0, draw: "uniform", without: "mask" },
  "random-unigram": { mask: 0, random: 1, synonym: 0, draw: "unigram", without: "mask" },
  mac: { mask: 0, random: 0.1, synonym: 0.8, draw: "uniform", without: "random" },
  motian: { mask: 0, random: 0.1, synonym: 0.8, draw: "unigram", without: "mask" },
} as const satisfies Readonly<Record<string, Policy>>;

/** A policy's name. */
export type PolicyName = keyof typeof policies;
