/** Two ranks, the lower first. */
export type Pair = readonly [low: number, high: number];

/**
 * Every pair of ranks, in rounds of pairs that share none: the circle method, in which all but the first go round. `atOnce` false gives
 * one pair a round.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { roundsOf } from "./rounds.ts";
 *
 * assertEquals(roundsOf(4, true).map((pairs) => pairs.join(" ")), ["0,3 1,2", "0,2 1,3", "0,1 2,3"]);
 * assertEquals(roundsOf(3, false), [[[1, 2]], [[0, 2]], [[0, 1]]]);
 * ```
 */
export function roundsOf(size: number, atOnce: boolean): readonly (readonly Pair[])[] {
  const even = size + size % 2, others = even - 1;
  const rounds = Array.from({ length: others }, (_, round): readonly Pair[] => {
    const seat = (i: number): number => i === 0 ? 0 : 1 + (i - 1 + others - round) % others;
    return Array.from({ length: even / 2 }, (_, i): Pair => {
      const [a, b] = [seat(i), seat(even - 1 - i)];
      return a < b ? [a, b] : [b, a];
    }).filter(([, high]) => high < size).sort(([a], [b]) => a - b);
  });
  return atOnce ? rounds : rounds.flat().map((pair) => [pair]);
}
