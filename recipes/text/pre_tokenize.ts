/**
 * Text to single characters and words, as BERT does before WordPiece.
 *
 * @module
 */
import { DROP, isPlain, kindOf, PART, plainOf, SINGLE, SPACE } from "./characters.ts";

/** Takes what `preTokenize` finds, in order; `start` is the index in the text where it begins. */
export interface PreTokenSink {
  /** A Chinese character or a punctuation mark, by its code point in the text. */
  single(code: number, start: number): void;
  /** Any other run, in lower case and without accents. */
  word(word: string, start: number): void;
}

/**
 * Splits `text[from, to)` at white space, and makes every Chinese character and punctuation mark a piece of its own.
 *
 * Units: `from`, `to` and `start` are UTF-16 indices.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { preTokenize } from "./pre_tokenize.ts";
 *
 * const found: string[] = [];
 * preTokenize("用Café，吧", {
 *   single: (code) => found.push(String.fromCodePoint(code)),
 *   word: (word) => found.push(word),
 * });
 * assertEquals(found, ["用", "cafe", "，", "吧"]);
 * ```
 */
export function preTokenize(text: string, sink: PreTokenSink, from = 0, to = text.length): void {
  let wordStart = -1;
  let partStart = 0; // where the run of plain characters began that `word` does not hold yet
  let word = "";
  for (let i = from; i < to;) {
    let code = text.charCodeAt(i);
    let next = i + 1;
    if ((code & 0xf800) === 0xd800) {
      code = text.codePointAt(i)!;
      next = code > 0xffff ? i + 2 : i + 1;
    }
    const kind = kindOf(code);
    if (kind === PART || kind === DROP) {
      if (kind === PART && wordStart < 0) {
        wordStart = partStart = i;
        word = "";
      }
      if (wordStart >= 0 && (kind === DROP || !isPlain(code))) {
        word += text.slice(partStart, i) + (kind === DROP ? "" : plainOf(code));
        partStart = next;
      }
    } else {
      if (wordStart >= 0) sink.word(word + text.slice(partStart, i), wordStart);
      wordStart = -1;
      if (kind === SINGLE) sink.single(code, i);
      else if (kind !== SPACE) throw new RangeError(`Cannot split text: kind ${kind} is unknown`);
    }
    i = next;
  }
  if (wordStart >= 0) sink.word(word + text.slice(partStart, to), wordStart);
}
