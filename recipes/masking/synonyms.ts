/**
 * Synonyms as token ids: for a word, what it may be replaced by and how often.
 *
 * @module
 */
import type { Draws } from "./counter_random.ts";

/** What a word may become: words of as many tokens, and the share of all draws up to each. */
export interface Replacements {
  readonly words: readonly (readonly number[])[];
  readonly shares: readonly number[];
}

/** Replacements by the ids of a word, joined by spaces. It is plain data: workers get a copy. */
export type Synonyms = ReadonlyMap<string, Replacements>;

/** A synonym of a word, drawn from its distribution; undefined where it has none. */
export function synonymsOf(
  synonyms: Synonyms,
  word: Int32Array,
  draw: Draws,
): readonly number[] | undefined {
  const found = synonyms.get(word.join(" "));
  if (!found) return undefined;
  const x = draw.uniform(), at = found.shares.findIndex((share) => x < share);
  return found.words[at < 0 ? found.words.length - 1 : at];
}

/** A word, and what it may become with what weight. */
export interface SynonymEntry {
  readonly word: readonly number[];
  readonly others: readonly { readonly word: readonly number[]; readonly weight: number }[];
}

/** A table of synonyms. Those that have another number of tokens than their word are left out: labels stand where words stood. */
export function synonymTable(entries: Iterable<SynonymEntry>): Synonyms {
  const table = new Map<string, Replacements>();
  for (const { word, others } of entries) {
    const fitting = others.filter((other) =>
      other.word.length === word.length && other.word.join(" ") !== word.join(" ") &&
      other.weight > 0
    );
    const total = fitting.reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) continue;
    let sum = 0;
    table.set(word.join(" "), {
      words: fitting.map((other) => other.word),
      shares: fitting.map(({ weight }) => (sum += weight) / total),
    });
  }
  return table;
}
