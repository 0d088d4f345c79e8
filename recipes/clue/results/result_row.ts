/**
 * Results as rows: what `--json` prints, and what `results.jsonl` and `epochs.jsonl` hold.
 *
 * @module
 */
import { type Summary, summaryOf } from "../../ablate/statistics.ts";
import type { Result } from "../run_task.ts";

/** One value of one seed. */
export interface ResultRow {
  readonly task: string;
  readonly split: Result["split"];
  readonly metric: string;
  /** Units: percent. */
  readonly value: number;
  /** Examples. */
  readonly n: number;
  readonly seed: number;
}

/** A value after an epoch, counted from 1. */
export interface EpochRow extends ResultRow {
  readonly epoch: number;
}

/** A row for every metric. */
export function rowsOf({ task, split, n, seed, scores }: Result): readonly ResultRow[] {
  return Object.entries(scores).map(([metric, value]) => ({ task, split, metric, value, n, seed }));
}

/** The same, with the epoch. */
export function epochRowsOf(result: Result): readonly EpochRow[] {
  return rowsOf(result).map((row) => ({ ...row, epoch: result.epoch }));
}

/** Values of all seeds. */
export interface RowGroup extends Pick<ResultRow, "task" | "split" | "metric" | "n"> {
  readonly summary: Summary;
  /** Ascending. */
  readonly seeds: readonly number[];
}

/**
 * Rows by task, split and metric, in the order of their first ones. Where a seed is there twice, the later row counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { groupsOf } from "./result_row.ts";
 *
 * const row = { task: "tnews", split: "dev", metric: "accuracy", n: 10 } as const;
 * const [group] = groupsOf([{ ...row, value: 40, seed: 2 }, { ...row, value: 50, seed: 1 }]);
 * assertEquals([group!.seeds, group!.summary.mean], [[1, 2], 45]);
 * ```
 */
export function groupsOf(rows: readonly ResultRow[]): readonly RowGroup[] {
  const groups = Map.groupBy(rows, ({ task, split, metric }) => `${task} ${split} ${metric}`);
  return Array.from(groups.values(), (own) => {
    const bySeed = new Map(own.map((row) => [row.seed, row]));
    const seeds = [...bySeed.keys()].sort((a, b) => a - b);
    const { task, split, metric, n } = own[0]!;
    const summary = summaryOf(seeds.map((seed) => bySeed.get(seed)!.value));
    return { task, split, metric, n, summary, seeds };
  });
}
