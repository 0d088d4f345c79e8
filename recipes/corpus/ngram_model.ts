/**
 * A character n-gram model: how likely a text is beside text that is known to be good.
 *
 *     P(w | h) = (c(h w) + T(h) P(w | h')) / (c(h) + T(h))
 *
 * where c counts, T(h) is how many different characters came behind h, and h' is h without its first character; under the unigrams
 * stands 1 / 65536. The longest n-grams are four characters, which, of UTF-16, fit in 64 bits: the tables have no collisions.
 *
 * Source: Witten and Bell, "The zero-frequency problem" (1991); Chen and Goodman, "An empirical study of smoothing techniques" (1999),
 * section 2.6.
 *
 * @module
 */

/** Counts of n-grams, and of what came behind them, in memory that workers share. */
export interface NgramModel {
  /** Characters that the model was made from, and how many different ones. */
  readonly characters: number;
  readonly different: number;
  /** Two words of key for each place: the last four characters or fewer, 0 in front; 0 0 for an empty place. */
  readonly keys: Uint32Array<SharedArrayBuffer>;
  readonly counts: Uint32Array<SharedArrayBuffer>;
  /** How many different characters came behind the n-gram. */
  readonly types: Uint32Array<SharedArrayBuffer>;
}

/** Stand before a text and behind it. */
const START = 1, END = 2;

/** Where the search for a key begins. */
const slot = (low: number, high: number): number =>
  Math.imul(low ^ Math.imul(high, 0x9e3779b1) ^ low >>> 15, 0x85ebca6b) >>> 0;

function find(keys: Uint32Array, low: number, high: number): number {
  const last = keys.length / 2 - 1;
  for (let at = slot(low, high) & last;; at = at + 1 & last) {
    const foundLow = keys[2 * at]!, foundHigh = keys[2 * at + 1]!;
    if (foundLow === low >>> 0 && foundHigh === high >>> 0) return at;
    if (foundLow === 0 && foundHigh === 0) return ~at;
  }
}

function shared(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(4 * length));
}

/** Counts n-grams of texts as they come. */
export function ngramCounter(): {
  readonly add: (text: string) => void;
  readonly model: () => NgramModel;
} {
  let places = 1 << 16, used = 0, characters = 0, different = 0;
  let [keys, counts, types] = [shared(2 * places), shared(places), shared(places)];

  function grow(): void {
    const old = { keys, counts, types, places };
    places *= 2;
    [keys, counts, types] = [shared(2 * places), shared(places), shared(places)];
    for (let i = 0; i < old.places; i++) {
      const low = old.keys[2 * i]!, high = old.keys[2 * i + 1]!;
      if (low === 0 && high === 0) continue;
      const at = ~find(keys, low, high);
      keys[2 * at] = low;
      keys[2 * at + 1] = high;
      counts[at] = old.counts[i]!;
      types[at] = old.types[i]!;
    }
  }
  /** Counts an n-gram; true where it is the first. */
  function count(low: number, high: number): boolean {
    const at = find(keys, low, high);
    if (at >= 0) {
      counts[at]!++;
      return false;
    }
    keys[2 * ~at] = low;
    keys[2 * ~at + 1] = high;
    counts[~at] = 1;
    used++;
    return true;
  }
  /** Notes that one more character came behind an n-gram. */
  function follow(low: number, high: number): void {
    const at = find(keys, low, high);
    if (at >= 0) types[at]!++;
  }

  return {
    add(text) {
      let c = START, b = START, a = START; // the three characters before, the newest first
      count(c, 0);
      count(c | b << 16, 0);
      count(c | b << 16, a);
      for (let i = 0; i <= text.length; i++) {
        if (4 * (used + 8) > 3 * places) grow();
        const w = i < text.length ? text.charCodeAt(i) : END, pair = w | c << 16;
        characters++;
        // From short to long; the histories are there: they were counted as n-grams before.
        if (count(w, 0)) different++;
        if (count(pair, 0)) follow(c, 0);
        if (count(pair, b)) follow(c | b << 16, 0);
        if (count(pair, b | a << 16)) follow(c | b << 16, a);
        [a, b, c] = [b, c, w];
      }
    },
    model: () => ({ characters, different, keys, counts, types }),
  };
}

/**
 * The perplexity of a text, by the character.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { ngramCounter, perplexity } from "./ngram_model.ts";
 *
 * const counter = ngramCounter();
 * for (let i = 0; i < 9; i++) counter.add("春眠不觉晓，处处闻啼鸟。");
 * assert(perplexity(counter.model(), "处处闻啼鸟") < perplexity(counter.model(), "鸟啼闻处处"));
 * ```
 */
export function perplexity(model: NgramModel, text: string): number {
  const { keys, counts, types, characters, different } = model;
  let c = START, b = START, a = START, bits = 0;
  // Where the histories are: each was an n-gram one character ago.
  let h1 = find(keys, c, 0), h2 = find(keys, c | b << 16, 0), h3 = find(keys, c | b << 16, a);
  const mixed = (p: number, history: number, gram: number): number => {
    if (history < 0) return p;
    const kinds = types[history]!;
    return ((gram < 0 ? 0 : counts[gram]!) + kinds * p) / (counts[history]! + kinds);
  };
  for (let i = 0; i <= text.length; i++) {
    const w = i < text.length ? text.charCodeAt(i) : END, pair = w | c << 16;
    const one = find(keys, w, 0);
    const two = one < 0 || h1 < 0 ? -1 : find(keys, pair, 0);
    const three = two < 0 || h2 < 0 ? -1 : find(keys, pair, b);
    const four = three < 0 || h3 < 0 ? -1 : find(keys, pair, b | a << 16);
    let p = ((one < 0 ? 0 : counts[one]!) + different / 65536) / (characters + different);
    p = mixed(mixed(mixed(p, h1, two), h2, three), h3, four);
    bits -= Math.log2(p);
    [h1, h2, h3] = [one, two, three];
    [a, b, c] = [b, c, w];
  }
  return 2 ** (bits / (text.length + 1));
}
