/**
 * Counts what a vocabulary is built from: characters that are tokens of their own, and words.
 *
 * @module
 */
import { plainOf } from "./characters.ts";
import { preTokenize, type PreTokenSink } from "./pre_tokenize.ts";

/** How often each character and each word was seen. */
export interface TextCounts {
  readonly characters: ReadonlyMap<string, number>;
  readonly words: ReadonlyMap<string, number>;
}

/** Counts texts one by one. */
export interface TextCounter {
  add(text: string): void;
  counts(): TextCounts;
}

/** Above so many words, those seen once are forgotten: the memory of a large corpus stays bounded. */
const MAX_WORDS = 1 << 20;

/** An empty counter. */
export function textCounter(): TextCounter {
  const byCode = new Float64Array(0x10000);
  const beyond = new Map<number, number>();
  let words = new Map<string, number>();
  const sink: PreTokenSink = {
    single(code) {
      if (code <= 0xffff) byCode[code]!++;
      else beyond.set(code, (beyond.get(code) ?? 0) + 1);
    },
    word(word) {
      words.set(word, (words.get(word) ?? 0) + 1);
    },
  };

  function add(text: string): void {
    preTokenize(text, sink);
    if (words.size > MAX_WORDS) words = new Map([...words].filter(([, count]) => count > 1));
  }

  function counts(): TextCounts {
    const characters = new Map<string, number>();
    const put = (code: number, count: number): void => {
      const character = plainOf(code);
      characters.set(character, (characters.get(character) ?? 0) + count);
    };
    byCode.forEach((count, code) => count > 0 && put(code, count));
    beyond.forEach((count, code) => put(code, count));
    return { characters, words };
  }

  return { add, counts };
}
