/**
 * What tasks of natural language inference share.
 *
 * @module
 */

/** In the order of CLUE's baselines. */
export const NLI_LABELS: readonly string[] = ["contradiction", "entailment", "neutral"];

/** The label of pairs that no label has a majority for. */
export const NO_AGREEMENT = ["-", "as their annotators did not agree"] as const;
