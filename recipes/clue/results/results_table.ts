/**
 * Results for a terminal.
 *
 * @module
 */
import { aligned } from "../../cli/aligned.ts";
import type { Summary } from "../../ablate/statistics.ts";
import { boardAverages, lackOf } from "./boards.ts";
import { groupsOf, type ResultRow } from "./result_row.ts";

/** 56.90 ± 0.12, or 56.90 where one seed alone was learnt. */
export function meanText({ mean, spread }: Summary): string {
  return mean.toFixed(2) + (spread === undefined ? "" : ` ± ${spread.toFixed(2)}`);
}

/** 10 tasks. */
export const countText = (tasks: number): string => `${tasks} ${tasks === 1 ? "task" : "tasks"}`;

/** Lines: a row for every task, split and metric, then the averages. */
export function resultLines(rows: readonly ResultRow[]): readonly string[] {
  const found = groupsOf(rows).map(({ task, split, metric, summary, n, seeds }) => [
    ...[task, split, metric, meanText(summary)],
    ...[n.toLocaleString("en"), String(seeds.length)],
  ]);
  const averages = boardAverages(rows).map((average) => {
    const { board: { name, tasks }, split, summary, seeds } = average;
    return summary
      ? [name, split, "average", meanText(summary), countText(tasks.length), String(seeds.length)]
      : [name, split, "average", lackOf(average)];
  });
  const head = ["task", "split", "metric", "mean ± spread", "n", "seeds"];
  return aligned([head, ...found, ...averages], ["left", "left", "left"]);
}
