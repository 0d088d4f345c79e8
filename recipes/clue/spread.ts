/**
 * Means and spreads of scores over seeds.
 *
 * @module
 */
import type { Result } from "./run_task.ts";

/** Mean, and the standard deviation of a sample (0 for one value). */
export function meanAndSpread(values: readonly number[]): readonly [mean: number, spread: number] {
  if (values.length === 0) throw new RangeError("Cannot average 0 values: there must be one");
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return [mean, values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0];
}

/** A line for every task and split: what a person reads at the end. */
export function spreadLines(results: readonly Result[]): readonly string[] {
  const groups = Object.groupBy(results, ({ task, split }) => `${task} ${split}`);
  return Object.entries(groups).map(([name, own]) => {
    const values = Object.keys(own![0]!.scores).map((metric) => {
      const [mean, spread] = meanAndSpread(own!.map(({ scores }) => scores[metric]!));
      return `${metric} ${mean.toFixed(2)} ± ${spread.toFixed(2)}`;
    });
    return `${name}, ${own!.length} ${own!.length === 1 ? "seed" : "seeds"}: ${values.join(", ")}`;
  });
}
