/**
 * A click log made of random tokens.
 *
 * @module
 */
import type { TokenImpression, TokenText } from "../../recipes/click/tokenized_log.ts";
import { draws } from "../../recipes/masking/counter_random.ts";

/** Text of ordinary tokens of a vocabulary of V; every second begins a word. */
function text(V: number, seed: number, length: number): TokenText {
  const { below } = draws(seed, 9, 0, 0);
  const ids = Array.from({ length }, () => 5 + below(V - 5));
  return { ids, starts: ids.map((_, i) => i % 2 === 0 ? 1 : 0) };
}

/** Impressions of one to four titles, of 3 to 17 tokens; queries have 2 to 10. */
export function madeClicks(V: number, count: number): readonly TokenImpression[] {
  return Array.from({ length: count }, (_, n) => ({
    query: text(V, n, 2 + n % 9),
    docs: Array.from({ length: 1 + n % 4 }, (_, d) => ({
      title: text(V, 100 + 10 * n + d, 3 + (n + 5 * d) % 15),
      rank: d + 1,
      click: (n + d) % 3 === 0 ? 1 as const : 0 as const,
    })),
  }));
}
