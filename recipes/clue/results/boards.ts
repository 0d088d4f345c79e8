/**
 * CLUE's boards: averages over tasks.
 *
 * The total of June 2021 is the mean of ten tasks, seven of classification and three of reading; names stand on a board of their own. The two
 * tasks of inference count as classification there; their mean is given too.
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); https://github.com/CLUEbenchmark/CLUE; PaddleNLP averages the same ten.
 *
 * @module
 */
import { type Summary, summaryOf } from "../../ablate/statistics.ts";
import type { SplitName } from "../task.ts";
import type { ResultRow } from "./result_row.ts";

/** A board. */
export interface Board {
  readonly name: string;
  /** Its tasks, each with the metric that counts. */
  readonly tasks: readonly (readonly [task: string, metric: string])[];
}

const accuracyOf = (...tasks: readonly string[]) =>
  tasks.map((task) => [task, "accuracy"] as const);
const inference = accuracyOf("cmnli", "ocnli");
const classification = [
  ...accuracyOf("afqmc", "tnews", "iflytek"),
  ...inference,
  ...accuracyOf("cluewsc", "csl"),
];
const reading = [["cmrc2018", "em"] as const, ...accuracyOf("chid", "c3")];

/** The boards, the total first. */
export const boards: readonly Board[] = [
  { name: "total", tasks: [...classification, ...reading] },
  { name: "classification", tasks: classification },
  { name: "reading", tasks: reading },
  { name: "nli", tasks: inference },
  { name: "ner", tasks: [["cluener", "macro_f1"]] },
];

/** The metric of a task that counts, where it is on a board. */
export function boardMetric(task: string): string | undefined {
  return boards.flatMap(({ tasks }) => tasks).find(([name]) => name === task)?.[1];
}

/** What a board says. */
export interface BoardAverage {
  readonly board: Board;
  readonly split: SplitName;
  /** Over the means of seeds that all its tasks have; undefined where a task or such a seed is lacking. */
  readonly summary?: Summary;
  readonly seeds: readonly number[];
  /** Tasks without a result. */
  readonly missing: readonly string[];
}

/** Averages of the boards that some task has results for, by split. A board that lacks a task has none: half a mean misleads. */
export function boardAverages(rows: readonly ResultRow[]): readonly BoardAverage[] {
  return (["dev", "test"] as const).flatMap((split) =>
    boards.flatMap((board): readonly BoardAverage[] => {
      const values = board.tasks.map(([task, metric]) =>
        new Map(
          rows.filter((row) => row.task === task && row.metric === metric && row.split === split)
            .map(({ seed, value }) => [seed, value]),
        )
      );
      const missing = board.tasks.filter((_, i) => values[i]!.size === 0).map(([task]) => task);
      if (missing.length === board.tasks.length) return [];
      const seeds = [...values[0]!.keys()].filter((seed) => values.every((own) => own.has(seed)))
        .sort((a, b) => a - b);
      const means = seeds.map((seed) =>
        values.reduce((sum, own) => sum + own.get(seed)!, 0) / values.length
      );
      const summary = means.length > 0 ? { summary: summaryOf(means) } : {};
      return [{ board, split, ...summary, seeds, missing }];
    })
  );
}

/** Why a board has no average. */
export function lackOf({ missing }: BoardAverage): string {
  return missing.length > 0
    ? `left out: no ${missing.join(", ")}`
    : "left out: no seed has all its tasks";
}

/** Averages as rows, with the board's name for a task's; n: tasks. */
export function boardRows(rows: readonly ResultRow[]): readonly ResultRow[] {
  return boardAverages(rows).flatMap(({ board: { name, tasks }, split, summary, seeds }) =>
    seeds.map((seed, i) => ({
      ...{ task: name, split, metric: "average", value: summary!.values[i]! },
      ...{ n: tasks.length, seed },
    }))
  );
}
