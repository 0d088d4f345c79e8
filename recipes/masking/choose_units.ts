/**
 * Chooses what of a sequence is masked: words, phrases, n-grams of words or spans, never a part of a word.
 *
 * What kind of unit and how many words comes first, then a place where it fits: so every kind and length is chosen as often as it is meant
 * to be. Units are taken until their tokens reach the sequence's share, and the last one goes over it: by Wald's identity their lengths
 * are those that were drawn, which they would not be if only what still fits was taken. How far the last one goes over on average is
 * known from the lengths, and is taken off the share.
 *
 * @module
 */
import type { Draws } from "./counter_random.ts";
import { type MaskSettings, NGRAM_LENGTHS, predictions, SPAN_LENGTHS } from "./mask_settings.ts";
import { isPhrase, type Phrases } from "./phrases.ts";

/** Words that are masked together: of the sequence's words the ones from `from` to `to`. */
export interface Unit {
  readonly from: number;
  readonly to: number;
}

/** The words of a sequence: tokens from `begins[i]` to `begins[i + 1]`. */
export interface Words {
  readonly begins: readonly number[];
  /** 1 for words that may not be chosen. */
  readonly closed: Uint8Array;
  /** Ordinary tokens, in words that may be chosen or not. */
  readonly tokens: number;
}

/** The words of a sequence; one with a special token in it may not be chosen: [UNK] teaches nothing. */
export function wordsOf(ids: Int32Array, starts: Uint8Array, special: Uint8Array): Words {
  const begins: number[] = [], closed: number[] = [];
  let tokens = 0;
  for (let begin = 0; begin < ids.length;) {
    let end = begin + 1, isClosed = 0;
    while (end < ids.length && starts[end] === 0) end++;
    for (let t = begin; t < end; t++) {
      if (special[ids[t]!]) isClosed = 1;
      else tokens++;
    }
    begins.push(begin);
    closed.push(isClosed);
    begin = end;
  }
  return { begins: [...begins, ids.length], closed: Uint8Array.from(closed), tokens };
}

/** What is drawn from shares that sum to 1. */
function drawn(shares: readonly number[], draw: Draws): number {
  let left = draw.uniform();
  for (let i = 0; i < shares.length; i++) if ((left -= shares[i]!) < 0) return i;
  return shares.length - 1;
}

/** Places that are tried before a sequence is searched from end to end. */
const TRIES = 16;

/** Chooses units, in ascending order. `phrases` is asked where phrases are. */
export function chooseUnits(
  ids: Int32Array,
  words: Words,
  settings: MaskSettings,
  T: number,
  draw: Draws,
  phrases?: Phrases,
): readonly Unit[] {
  const most = predictions(T, settings);
  if (settings.units.word === 1) return chooseWords(words, settings, most, draw);
  const { begins } = words, count = begins.length - 1, taken = Uint8Array.from(words.closed);
  const known = phrases ? phrasesIn(ids, words, phrases) : [];
  const kinds = Object.values(settings.units), units: Unit[] = [];
  const goal = Math.floor(
    settings.share * words.tokens - overshoot(words, settings) + draw.uniform(),
  );
  const isFree = ({ from, to }: Unit): boolean => {
    for (let i = from; i < to; i++) if (taken[i]) return false;
    return true;
  };
  /** Somewhere in the sequence so many words that are free, or undefined. */
  const place = (length: number): Unit | undefined => {
    const places = count - length + 1;
    if (places < 1) return undefined;
    for (let i = 0; i < TRIES; i++) {
      const from = draw.below(places), unit = { from, to: from + length };
      if (isFree(unit)) return unit;
    }
    const free = Array.from({ length: places }, (_, from) => ({ from, to: from + length }))
      .filter(isFree);
    return free.length === 0 ? undefined : free[draw.below(free.length)];
  };
  const phrase = (): Unit | undefined => {
    const free = known.filter(isFree);
    return free.length === 0 ? undefined : free[draw.below(free.length)];
  };
  let tokens = 0;
  while (tokens < goal || units.length === 0) {
    const kind = drawn(kinds, draw);
    let length = 1;
    if (kind === 2) length = 1 + drawn(NGRAM_LENGTHS, draw);
    if (kind === 3) length = 1 + drawn(SPAN_LENGTHS, draw);
    let unit = kind === 1 ? phrase() : undefined;
    for (; !unit && length > 0; length--) unit = place(length);
    if (!unit) break;
    const size = begins[unit.to]! - begins[unit.from]!;
    if (tokens + size > most) break;
    taken.fill(1, unit.from, unit.to);
    tokens += size;
    units.push(unit);
  }
  // A short sequence of long words has room for one of them at most.
  if (units.length === 0) return chooseWords(words, settings, most, draw);
  return units.sort((a, b) => a.from - b.from);
}

/** The longest phrases of two or more words, from each word on. */
function phrasesIn(ids: Int32Array, { begins, closed }: Words, phrases: Phrases): readonly Unit[] {
  const found: Unit[] = [], count = begins.length - 1;
  for (let from = 0; from < count;) {
    let best = 0;
    for (let to = from + 1; to <= count && !closed[to - 1]; to++) {
      if (begins[to]! - begins[from]! > phrases.longest) break;
      if (to > from + 1 && isPhrase(phrases, ids, begins[from]!, begins[to]!)) best = to;
    }
    if (best) found.push({ from, to: best });
    from = best || from + 1;
  }
  return found;
}

const moment = (lengths: readonly number[], power: number): number =>
  lengths.reduce((sum, p, i) => sum + p * (i + 1) ** power, 0);

/**
 * How many tokens the last unit goes over the goal, on average: (E[L²] / E[L] - 1) / 2 for a unit of L tokens, where L is the sum of
 * W words of mean m and variance v: E[L] = E[W] m, E[L²] = E[W] v + E[W²] m².
 */
function overshoot({ begins, closed }: Words, { units }: MaskSettings): number {
  const sizes = begins.slice(1).map((end, i) => end - begins[i]!).filter((_, i) => !closed[i]);
  const mean = (power: number): number =>
    sizes.reduce((sum, size) => sum + size ** power, 0) / Math.max(1, sizes.length);
  const m = mean(1), v = mean(2) - m * m;
  // A phrase is about two words.
  const first = units.word + 2 * units.phrase + units.ngram * moment(NGRAM_LENGTHS, 1) +
    units.span * moment(SPAN_LENGTHS, 1);
  const second = units.word + 4 * units.phrase + units.ngram * moment(NGRAM_LENGTHS, 2) +
    units.span * moment(SPAN_LENGTHS, 2);
  return first * m === 0 ? 0 : ((first * v + second * m * m) / (first * m) - 1) / 2;
}

/** Words alone, in random order as long as they fit: so many tokens as wanted, in so many places. */
function chooseWords(
  { begins, closed, tokens }: Words,
  { share }: MaskSettings,
  most: number,
  draw: Draws,
): readonly Unit[] {
  const order = [...closed.keys()].filter((word) => !closed[word]), chosen: number[] = [];
  const size = (word: number): number => begins[word + 1]! - begins[word]!;
  let left = Math.min(most, Math.max(1, Math.floor(share * tokens + draw.uniform())));
  for (let i = 0; i < order.length && left > 0; i++) {
    const j = i + draw.below(order.length - i), word = order[j]!;
    order[j] = order[i]!;
    order[i] = word;
    if (size(word) > left) continue;
    left -= size(word);
    chosen.push(word);
  }
  if (chosen.length === 0 && order.length > 0) {
    const shortest = order.reduce((best, word) => size(word) < size(best) ? word : best);
    if (size(shortest) <= most) chosen.push(shortest);
  }
  return chosen.sort((a, b) => a - b).map((from) => ({ from, to: from + 1 }));
}
