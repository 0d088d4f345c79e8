/**
 * Masking: which units are chosen, and what stands in their place.
 *
 * @module
 */
import type { Ablation, Variant } from "../ablation.ts";

const only = (unit: string): string =>
  `mask.units=${JSON.stringify({ word: 0, phrase: 0, ngram: 0, span: 0, [unit]: 1 })}`;

/** Words, phrases of a dictionary, n-grams, spans. */
export const maskUnits: Ablation = {
  name: "mask-units",
  claim: "Masking phrases rather than words makes the better model.",
  base: [],
  variants: [
    { name: "word", changes: [] },
    { name: "phrase", changes: [only("phrase")], needs: "phrases" },
    { name: "ngram", changes: [only("ngram")] },
    { name: "span", changes: [only("span")] },
  ],
  questions: [
    { name: "masked words", length: 64 },
    {
      name: "masked n-grams",
      length: 64,
      mask: { units: { word: 0, phrase: 0, ngram: 1, span: 0 } },
    },
  ],
  claimed: "ngram",
  note: "Whoever trains on words is at home with the first question, whoever trains on n-grams " +
    "with the second; what it is worth to later tasks, perplexity cannot say.",
};

const policy = (name: string, needs?: "synonyms"): Variant => ({
  name,
  changes: [`mask.policy=${name}`],
  ...needs && { needs },
});

/** What masked words are replaced by. */
export const maskPolicies: Ablation = {
  name: "mask-policies",
  claim: "Synonyms in place of [MASK], drawn from their distribution, make the better model.",
  base: [],
  variants: [
    policy("bert"),
    policy("random"),
    policy("random-unigram"),
    policy("mac", "synonyms"),
    policy("motian", "synonyms"),
  ],
  questions: [
    { name: "random words", length: 64, mask: { policy: "random" } },
    { name: "[MASK]", length: 64 },
  ],
  claimed: "motian",
  note: "Each question favours who trained on it: `bert` knows [MASK], the random policies never " +
    "saw it. Later tasks have no [MASK], which speaks for the first question.",
};
