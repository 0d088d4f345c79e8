/**
 * Builds a vocabulary from counts: the special tokens, Chinese characters and punctuation by frequency, the letters of
 * words, and word pieces for the rest.
 *
 * @module
 */
import type { TextCounts } from "./count_text.ts";
import { byCount, mergePieces } from "./merge_pieces.ts";
import { SPECIAL_TOKENS, type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/** What a vocabulary may grow to. */
export interface VocabularySettings {
  /** At most so many tokens. */
  readonly size: number;
  /** Characters are taken, the most frequent first, until they are so much of the running text: the rest is [UNK]. */
  readonly coverage: number;
  /** A word piece is learnt only from so many occurrences. */
  readonly minPieceCount: number;
}

/** 8,192 tokens; 99.75 % of the characters, so that [UNK] stays well under 0.5 %; pieces from 8 occurrences. */
export const VOCABULARY_SETTINGS: VocabularySettings = {
  size: 8192,
  coverage: 0.9975,
  minPieceCount: 8,
};

const ALWAYS = [..."abcdefghijklmnopqrstuvwxyz0123456789"];

/** The most frequent keys that make up `coverage` of all occurrences, at most `limit`. */
function mostFrequent(
  counts: ReadonlyMap<string, number>,
  coverage: number,
  limit: number,
): readonly string[] {
  const sorted = [...counts].sort(byCount);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const taken: string[] = [];
  let covered = 0;
  for (const [key, count] of sorted) {
    if (covered >= coverage * total || taken.length >= limit) break;
    taken.push(key);
    covered += count;
  }
  return taken;
}

function letterCounts(words: ReadonlyMap<string, number>): Map<string, number> {
  const letters = new Map<string, number>();
  for (const [word, count] of words) {
    let prefix = "";
    for (const letter of word) {
      letters.set(prefix + letter, (letters.get(prefix + letter) ?? 0) + count);
      prefix = "##";
    }
  }
  return letters;
}

/**
 * A vocabulary from counts; the same counts give the same vocabulary on every machine.
 *
 * @throws RangeError where `size` leaves no room for the special tokens, Latin letters and digits.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { buildVocabulary } from "./build_vocabulary.ts";
 * import { textCounter } from "./count_text.ts";
 *
 * const counter = textCounter();
 * counter.add("摩天，摩天楼");
 * const { tokens } = buildVocabulary(counter.counts());
 * assertEquals(tokens.slice(0, 8), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "天", "摩", "楼"]);
 * ```
 */
export function buildVocabulary(
  counts: TextCounts,
  settings: Partial<VocabularySettings> = {},
): Vocabulary {
  const { size, coverage, minPieceCount } = { ...VOCABULARY_SETTINGS, ...settings };
  const always = [...ALWAYS, ...ALWAYS.map((letter) => "##" + letter)];
  const least = SPECIAL_TOKENS.length + always.length;
  if (size <= least) {
    throw new RangeError(
      `Cannot build a vocabulary of ${size} tokens: it needs more than ${least}`,
    );
  }
  const characters = mostFrequent(counts.characters, coverage, size - least);
  const letters = new Set(always);
  const room = size - SPECIAL_TOKENS.length - characters.length - letters.size;
  for (const letter of mostFrequent(letterCounts(counts.words), coverage, room)) {
    if (letters.size < size - SPECIAL_TOKENS.length - characters.length) letters.add(letter);
  }
  const left = size - SPECIAL_TOKENS.length - characters.length - letters.size;
  const pieces = mergePieces(counts.words, letters, left, minPieceCount);
  // A character may be a letter too where it was counted on its own: it is one token.
  return vocabularyOf([...new Set([...SPECIAL_TOKENS, ...characters, ...letters, ...pieces])]);
}
