/**
 * Numbers of single precision in as few digits as tell them apart.
 *
 * @module
 */

/**
 * The decimal number of the fewest digits, seven at least, that reads back as the same f32: JSON shows 0.1, not 0.10000000149011612.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { shortest } from "./shortest.ts";
 *
 * assertEquals(shortest(Math.fround(0.1)), 0.1);
 * assertEquals(Math.fround(shortest(Math.fround(1 / 3))), Math.fround(1 / 3));
 * ```
 */
export function shortest(x: number): number {
  for (let digits = 7; digits < 9; digits++) {
    const found = Number(x.toPrecision(digits));
    if (Math.fround(found) === x) return found;
  }
  return Number(x.toPrecision(9));
}
