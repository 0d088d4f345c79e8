/**
 * Means and spreads of scores over seeds.
 *
 * @module
 */
import { summaryOf } from "../ablate/statistics.ts";
import type { Result } from "./run_task.ts";

/** A line for every task and split: what a person reads at the end. */
export function spreadLines(results: readonly Result[]): readonly string[] {
  const groups = Object.groupBy(results, ({ task, split }) => `${task} ${split}`);
  return Object.entries(groups).map(([name, own]) => {
    const values = Object.keys(own![0]!.scores).map((metric) => {
      const { mean, spread } = summaryOf(own!.map(({ scores }) => scores[metric]!));
      return `${metric} ${mean.toFixed(2)}${spread === undefined ? "" : ` ± ${spread.toFixed(2)}`}`;
    });
    return `${name}, ${own!.length} ${own!.length === 1 ? "seed" : "seeds"}: ${values.join(", ")}`;
  });
}
