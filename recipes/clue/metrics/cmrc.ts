/**
 * Exact match and F1 of CMRC 2018.
 *
 * Source: `cmrc2018_evaluate.py`, version 5, of https://github.com/ymcui/cmrc2018
 *
 * @module
 */
import { treebankWords } from "./treebank_words.ts";

/** What does not count. The script names "……" too, which never matches, as it compares character by character. */
const MARKS = new Set("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』");

/** In lower case, without spaces around it. */
const plain = (text: string): string => text.toLowerCase().trim();

/** A text without punctuation marks. */
const unmarked = (text: string): string =>
  [...plain(text)].filter((character) => !MARKS.has(character)).join("");

/** Chinese characters one by one, and words of what is between them; punctuation marks are left out. */
function segments(text: string): readonly string[] {
  const found: string[] = [];
  let rest = "";
  const close = (): void => {
    found.push(...treebankWords(rest));
    rest = "";
  };
  for (const character of plain(text)) {
    if (MARKS.has(character)) continue;
    if (!/[\u4e00-\u9fa5]/.test(character)) rest += character;
    else {
      close();
      found.push(character);
    }
  }
  close();
  return found;
}

/** The length of the longest stretch that two lists have in common. */
function commonStretch(a: readonly string[], b: readonly string[]): number {
  let before = new Uint32Array(b.length + 1), longest = 0;
  for (const one of a) {
    const now = new Uint32Array(b.length + 1);
    b.forEach((other, j) => {
      if (one === other) longest = Math.max(longest, now[j + 1] = before[j]! + 1);
    });
    before = now;
  }
  return longest;
}

/** F1 of an answer: 2 c / (m + n), where c of m and n segments are one common stretch. The best right answer counts. From 0 to 1. */
export function spanF1(answer: string, right: readonly string[]): number {
  const own = segments(answer);
  return Math.max(...right.map((one) => {
    const other = segments(one), common = commonStretch(other, own);
    return common === 0 ? 0 : 2 * common / (own.length + other.length);
  }));
}

/** Is an answer one of the right ones, punctuation marks and case aside? */
export function spanMatch(answer: string, right: readonly string[]): boolean {
  const own = unmarked(answer);
  return right.some((one) => unmarked(one) === own);
}

/** Both over all questions. Units: percent. */
export function cmrcScores(
  answers: readonly string[],
  right: readonly (readonly string[])[],
): { readonly em: number; readonly f1: number } {
  if (right.length === 0) throw new RangeError("Cannot judge 0 answers: there must be one");
  const mean = (of: (answer: string, own: readonly string[]) => number): number =>
    100 * right.reduce((sum, own, i) => sum + of(answers[i]!, own), 0) / right.length;
  return { em: mean((answer, own) => Number(spanMatch(answer, own))), f1: mean(spanF1) };
}
