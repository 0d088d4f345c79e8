/**
 * Rows as a table in Markdown, columns as wide as their widest cell, as `deno fmt` leaves it. A terminal shows it as well.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { markdown } from "./markdown.ts";
 *
 * assertEquals(markdown([["a", "word"], ["1", "b"]]), ["| a   | word |", "| --- | ---- |", "| 1   | b    |"]);
 * ```
 */
export function markdown([head, ...rows]: readonly (readonly string[])[]): readonly string[] {
  const widths = head!.map((_, i) => Math.max(3, ...[head!, ...rows].map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
