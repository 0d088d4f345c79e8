/**
 * Draws by weights that were summed up before.
 *
 * @module
 */

/**
 * The first place whose sum is above `x`, or the last: with `x` uniform below the total, a place comes as often as its weight says.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { placeIn } from "./place_in.ts";
 *
 * assertEquals([0, 0.4, 0.5, 0.99].map((x) => placeIn([0.5, 0.75, 1], x)), [0, 0, 1, 2]);
 * ```
 */
export function placeIn(sums: ArrayLike<number>, x: number): number {
  let low = 0, high = sums.length - 1;
  while (low < high) {
    const middle = low + high >> 1;
    if (sums[middle]! > x) high = middle;
    else low = middle + 1;
  }
  return low;
}
