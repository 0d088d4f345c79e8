/**
 * Whole-word masking: words are chosen, and what happens to a word happens to all of its tokens.
 *
 * Source: Devlin et al., arXiv 1810.04805, section 3.1; whole words as in Cui et al., arXiv 1906.08101.
 *
 * @module
 */
import type { Draws } from "./counter_random.ts";

/** How much is masked, and how. */
export interface MaskSettings {
  /** The share of ordinary tokens that is predicted. */
  readonly share: number;
  /** At most so many a sequence. */
  readonly maxPredictions: number;
  /** Of the chosen words, the share that becomes [MASK]; */
  readonly maskShare: number;
  /** the share that becomes random tokens; the rest stays as it is. */
  readonly randomShare: number;
  /** Roll for a word as a whole, or for each of its tokens. */
  readonly dice: "word" | "token";
}

/** 15 % of the tokens, 80/10/10 by the word. */
export function maskSettings(T: number, given: Partial<MaskSettings> = {}): MaskSettings {
  const share = given.share ?? 0.15;
  return {
    share,
    maxPredictions: Math.max(1, Math.ceil(share * T)),
    maskShare: 0.8,
    randomShare: 0.1,
    dice: "word",
    ...given,
  };
}

/** The tokens that masking must know. */
export interface MaskTokens {
  readonly mask: number;
  /** 1 for [PAD], [UNK], [CLS], [SEP], [MASK]: never chosen. A word with [UNK] in it is not chosen: it teaches nothing. */
  readonly special: Uint8Array;
  /** The ids that random tokens are drawn from. */
  readonly ordinary: Int32Array;
}

interface Words {
  readonly begins: readonly number[];
  readonly ends: readonly number[];
  /** Ordinary tokens, in words that may be chosen or not. */
  readonly tokens: number;
}

function wordsOf(ids: Int32Array, starts: Uint8Array, { special }: MaskTokens): Words {
  const begins: number[] = [];
  const ends: number[] = [];
  let tokens = 0;
  for (let begin = 0; begin < ids.length;) {
    let end = begin + 1;
    while (end < ids.length && starts[end] === 0) end++;
    let whole = true;
    for (let t = begin; t < end; t++) {
      if (special[ids[t]!]) whole = false;
      else tokens++;
    }
    if (whole) {
      begins.push(begin);
      ends.push(end);
    }
    begin = end;
  }
  return { begins, ends, tokens };
}

/** Words in random order as long as they fit in `budget` tokens; the shortest one where none fits but `most` allows it. */
function chooseWords({ begins, ends }: Words, budget: number, most: number, draw: Draws): number[] {
  const order = begins.map((_, i) => i);
  const chosen: number[] = [];
  let left = budget;
  for (let i = 0; i < order.length && left > 0; i++) {
    const j = i + draw.below(order.length - i);
    const word = order[j]!;
    order[j] = order[i]!;
    const length = ends[word]! - begins[word]!;
    if (length > left) continue;
    left -= length;
    chosen.push(word);
  }
  if (chosen.length === 0 && begins.length > 0) {
    const length = (word: number): number => ends[word]! - begins[word]!;
    const shortest = begins.reduce((best, _, word) => length(word) < length(best) ? word : best, 0);
    if (length(shortest) <= most) chosen.push(shortest);
  }
  return chosen.sort((a, b) => a - b);
}

/**
 * Masks one sequence in place. `ids` are its tokens without padding, `starts` is 1 where a word begins. Returns the
 * chosen positions, ascending, and the tokens that stood there.
 *
 * The number of tokens chosen is `share` of the ordinary ones, rounded up or down by chance so that it is right on
 * average; at least one, at most `maxPredictions`. A word that would go over it is passed over for a shorter one.
 */
export function maskWords(
  ids: Int32Array,
  starts: Uint8Array,
  tokens: MaskTokens,
  settings: MaskSettings,
  draw: Draws,
): { readonly positions: readonly number[]; readonly labels: readonly number[] } {
  const words = wordsOf(ids, starts, tokens);
  const wanted = Math.max(1, Math.floor(settings.share * words.tokens + draw.uniform()));
  const budget = Math.min(settings.maxPredictions, wanted);
  const positions: number[] = [];
  const labels: number[] = [];
  for (const word of chooseWords(words, budget, settings.maxPredictions, draw)) {
    let roll = draw.uniform();
    for (let t = words.begins[word]!; t < words.ends[word]!; t++) {
      positions.push(t);
      labels.push(ids[t]!);
      if (roll < settings.maskShare) ids[t] = tokens.mask;
      else if (roll < settings.maskShare + settings.randomShare) {
        ids[t] = tokens.ordinary[draw.below(tokens.ordinary.length)]!;
      }
      if (settings.dice === "token") roll = draw.uniform();
    }
  }
  return { positions, labels };
}
