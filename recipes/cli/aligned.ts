/**
 * Tables for a terminal.
 *
 * @module
 */

/** Where a column's cells stand. */
export type Side = "left" | "right";

/**
 * Rows under each other, two spaces apart. Columns without a side are to the right. The last cell of a row that is shorter than the first
 * row may be as long as it wants, and is to the left.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { aligned } from "./aligned.ts";
 *
 * assertEquals(aligned([["a", "n", "m"], ["bcd", "10", "2"], ["e", "none here"]], ["left"]), ["a     n  m", "bcd  10  2", "e    none here"]);
 * ```
 */
export function aligned(
  rows: readonly (readonly string[])[],
  sides: readonly Side[] = [],
): readonly string[] {
  const [head = []] = rows;
  const isOpen = (row: readonly string[], i: number): boolean =>
    row.length < head.length && i === row.length - 1;
  const widths = head.map((_, i) =>
    Math.max(...rows.map((row) => isOpen(row, i) ? 0 : row[i]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((cell, i) =>
      isOpen(row, i) || sides[i] === "left" ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
    ).join("  ").trimEnd()
  );
}
