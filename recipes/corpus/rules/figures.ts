/**
 * What rules ask about a text, counted in one go.
 *
 * @module
 */
import { isChinese } from "../../text/characters.ts";

/** How much of what is in a text. */
export interface Figures {
  /** Chinese characters. */
  readonly chinese: number;
  /** Other words and numbers: a run of letters or digits is one, a Kana too. */
  readonly words: number;
  /** Punctuation and symbols. */
  readonly marks: number;
  /** Characters that some conversion lost: U+FFFD, private use, not assigned, half a pair. */
  readonly lost: number;
}

const CHINESE = 1, LETTER = 2, KANA = 3, MARK = 4, LOST = 5, OTHER = 6;

const kinds = new Uint8Array(0x10000);

function classify(code: number): number {
  const character = String.fromCodePoint(code);
  if (isChinese(code)) return CHINESE;
  if (code >= 0x3040 && code < 0x3100) return KANA;
  if (/[\p{L}\p{N}]/u.test(character)) return LETTER;
  if (code === 0xfffd || /[\p{Co}\p{Cn}\p{Cs}]/u.test(character)) return LOST;
  return /[\p{P}\p{S}]/u.test(character) ? MARK : OTHER;
}

/** Counts. */
export function figuresOf(text: string): Figures {
  let chinese = 0, words = 0, marks = 0, lost = 0, before = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if ((code & 0xf800) === 0xd800) {
      code = text.codePointAt(i)!;
      if (code > 0xffff) i++;
    }
    const kind = code > 0xffff ? classify(code) : kinds[code] ||= classify(code);
    if (kind === CHINESE) chinese++;
    else if (kind === LETTER) {
      if (before !== LETTER) words++;
    } else if (kind === MARK) marks++;
    else if (kind === KANA) words++;
    else if (kind === LOST) lost++;
    before = kind;
  }
  return { chinese, words, marks, lost };
}
