/**
 * An outcome for a terminal.
 *
 * @module
 */
import type { Outcome } from "./outcome.ts";
import { text } from "./statistics.ts";

/** Rows under each other, the first column to the left, all others to the right. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
      .trimEnd()
  );
}

/** Lines: the claim, a table of perplexities, what is to be said of it. `*` marks the best of a group. */
export function outcomeLines({ ablation, questions, groups, absent }: Outcome): readonly string[] {
  const head = ["", ...questions.map(({ name }) => `${name}  `), "seeds"];
  const rows = groups.flatMap(({ name, rows }) => [
    ...name === undefined ? [] : [[name, ...head.slice(1).map(() => "")]],
    ...rows.map(({ variant, seeds, summaries, best }) => [
      `${name === undefined ? "" : "  "}${variant}`,
      ...summaries.map((summary, i) => `${summary ? text(summary) : "-"} ${best[i] ? "*" : " "}`),
      String(seeds),
    ]),
  ]);
  return [
    `${ablation.name}: ${ablation.claim}`,
    ...aligned([head, ...rows]).map((line) => `  ${line}`),
    ...groups.map(({ name, verdict }) => `  ${name ? `${name}: ` : ""}${verdict.text}`),
    ...ablation.note ? [`  Note: ${ablation.note}`] : [],
    ...absent.map((what) => `  Left out: ${what}`),
  ];
}
