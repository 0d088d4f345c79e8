/**
 * Matrices with rows and columns in each other's place, on the host.
 *
 * @module
 */

/** A square of so many rows and columns stays in the cache while it is turned. */
const TILE = 32;

/**
 * [rows, columns] to [columns, rows]: the same bits in another order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { turned } from "./turn.ts";
 *
 * assertEquals([...turned(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3)], [1, 4, 2, 5, 3, 6]);
 * ```
 */
export function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  // Copied as integers: a NaN keeps its bits.
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const to = new Uint32Array(values.length);
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(rows, top + TILE);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(columns, left + TILE);
      for (let r = top; r < bottom; r++) {
        for (let c = left; c < right; c++) to[c * rows + r] = from[r * columns + c]!;
      }
    }
  }
  return new Float32Array(to.buffer);
}
