/**
 * A corpus as numbers of words.
 *
 * @module
 */

/** The words that are often enough, most frequent first, and the corpus as their numbers. */
export interface WordStream {
  readonly words: readonly string[];
  readonly counts: readonly number[];
  /** Numbers of words, -1 for any other and at the end of a document. */
  readonly ids: Int32Array;
}

/** Collects documents with the starts of their words. */
export interface WordCollector {
  add(text: string, starts: Uint8Array): void;
  stream(settings: { readonly most: number; readonly least: number }): WordStream;
}

/** Words are of Chinese characters alone; anything else parts what is around it. */
const CHINESE = /^\p{Script=Han}+$/u;

/** A collector that has seen nothing yet. */
export function wordCollector(): WordCollector {
  const numbers = new Map<string, number>(), counts: number[] = [];
  let all = new Int32Array(1 << 16), length = 0;
  const push = (id: number): void => {
    if (length === all.length) {
      const grown = new Int32Array(2 * length);
      grown.set(all);
      all = grown;
    }
    all[length++] = id;
  };
  return {
    add(text, starts) {
      for (let from = 0; from < text.length;) {
        let to = from + 1;
        while (to < text.length && starts[to] === 0) to++;
        const word = text.slice(from, to);
        if (!CHINESE.test(word)) push(-1);
        else {
          let id = numbers.get(word);
          if (id === undefined) numbers.set(word, id = counts.push(0) - 1);
          counts[id]!++;
          push(id);
        }
        from = to;
      }
      push(-1);
    },
    stream({ most, least }) {
      const words = [...numbers.keys()];
      const order = [...words.keys()].filter((id) => counts[id]! >= least)
        .sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, most);
      const renumbered = new Int32Array(words.length).fill(-1);
      order.forEach((id, rank) => renumbered[id] = rank);
      return {
        words: order.map((id) => words[id]!),
        counts: order.map((id) => counts[id]!),
        ids: all.subarray(0, length).map((id) => id < 0 ? -1 : renumbered[id]!),
      };
    },
  };
}
