/**
 * What the encoder reads of an example, and what it is to answer.
 *
 * @module
 */
import type { Tokenizer } from "../text/tokenize.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** A row of tokens: `[CLS] a [SEP]`, `[CLS] a [SEP] b [SEP]`, … */
export interface Row {
  readonly ids: readonly number[];
  /** 0 up to the first [SEP], then 1. */
  readonly segments: readonly number[];
}

/** What is answered at once: one row, or the rows of all choices. */
export interface Unit {
  /** As many for every unit of a task. */
  readonly rows: readonly Row[];
  /** What the head is to answer; empty where it is hidden. A class, a choice, start and end of a span, or a tag for every token. */
  readonly target: readonly number[];
  /** What a teacher answers, where it is learnt from: all units have it then, and as many numbers. */
  readonly soft?: Float32Array;
}

/**
 * Tokens of a text or a pair, `length` at most: the longer of the two loses tokens from its end, one at a time.
 *
 * Source: `_truncate_seq_pair` in BERT's run_classifier.py, which CLUE's baselines use.
 */
export function rowOf(
  { vocabulary, encode }: Tokenizer,
  length: number,
  first: string,
  second?: string,
): Row {
  const { cls, sep } = vocabulary;
  let a = encode(first).ids, b = second === undefined ? undefined : encode(second).ids;
  if (b === undefined) a = a.slice(0, length - 2);
  else {
    const room = length - 3, half = Math.floor(room / 2);
    if (a.length + b.length > room) {
      const one = a.length <= half ? a.length : b.length <= half ? room - b.length : room - half;
      [a, b] = [a.slice(0, one), b.slice(0, room - Math.min(one, a.length))];
    }
  }
  const head = [cls, ...a, sep], tail = b ? [...b, sep] : [];
  return { ids: [...head, ...tail], segments: [...head.map(() => 0), ...tail.map(() => 1)] };
}

/**
 * `[CLS] a [SEP] b [SEP] c [SEP]` … of tokens, `length` at most: the longest part, the first of several, loses tokens from its end, one at a
 * time. The first part is segment 0, all others are 1.
 *
 * Source: `_truncate_seq_tuple` in CLUE's run_c3.py, but for which of equally long parts it cuts.
 */
export function rowOfAll(
  { cls, sep }: Vocabulary,
  length: number,
  parts: readonly (readonly number[])[],
): Row {
  const lengths = parts.map((part) => part.length), room = length - 1 - parts.length;
  if (room < 0) throw new RangeError(`Cannot put ${parts.length} texts in ${length} tokens`);
  for (let left = lengths.reduce((sum, n) => sum + n, 0) - room; left > 0; left--) {
    lengths[lengths.indexOf(Math.max(...lengths))]!--;
  }
  const ids = [cls, ...parts.flatMap((part, i) => [...part.slice(0, lengths[i]), sep])];
  return { ids, segments: ids.map((_, i) => i < lengths[0]! + 2 ? 0 : 1) };
}
