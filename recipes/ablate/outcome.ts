/**
 * What an ablation found: a table of means, and for every group a verdict.
 *
 * @module
 */
import { type Ablation, type Question, shownQuestions } from "./ablation.ts";
import type { CellResult } from "./cell_store.ts";
import { type Cell, isPossible, type PlanSettings } from "./plan.ts";
import { judge, type Summary, summaryOf, type Verdict } from "./statistics.ts";

/** A cell that is done. */
export interface Done {
  readonly cell: Cell;
  readonly result: CellResult;
}

/** A variant's line. */
export interface OutcomeRow {
  readonly variant: string;
  /** Seeds that are done. */
  readonly seeds: number;
  /** One for each shown question; undefined where nothing is known. */
  readonly summaries: readonly (Summary | undefined)[];
  /** Is it the best of its group, for each question? */
  readonly best: readonly boolean[];
  readonly done: readonly Done[];
}

/** Variants that are compared with each other. */
export interface OutcomeGroup {
  /** Undefined where there is one group only. */
  readonly name: string | undefined;
  readonly rows: readonly OutcomeRow[];
  readonly verdict: Verdict;
}

/** What an ablation found. */
export interface Outcome {
  readonly ablation: Ablation;
  readonly questions: readonly Question[];
  readonly groups: readonly OutcomeGroup[];
  /** What was not trained, and why. */
  readonly absent: readonly string[];
}

/** The values of a question, of all seeds; NaN for a model that gives no number any more. */
function summaryFor(question: Question, done: readonly Done[]): Summary | undefined {
  const values = done.flatMap(({ result }) => {
    const value = result.values[question.name];
    return value === undefined ? [] : [value ?? NaN];
  });
  return values.length > 0 ? summaryOf(values) : undefined;
}

function groupOf(
  ablation: Ablation,
  name: string | undefined,
  variants: readonly string[],
  done: readonly Done[],
): OutcomeGroup {
  const questions = shownQuestions(ablation);
  const rows = variants.map((variant) => {
    const own = done.filter(({ cell }) => cell.variant.name === variant);
    const summaries = questions.map((question) => summaryFor(question, own));
    return { variant, seeds: own.length, summaries, done: own };
  });
  const least = questions.map((_, i) =>
    Math.min(...rows.flatMap(({ summaries }) => {
      const mean = summaries[i]?.mean ?? NaN;
      return Number.isFinite(mean) ? [mean] : [];
    }))
  );
  const first = rows.flatMap(({ variant, summaries: [summary] }) =>
    summary ? [[variant, summary] as const] : []
  );
  const missing = rows.filter(({ seeds }) => seeds === 0).map(({ variant }) => variant);
  return {
    name,
    rows: rows.map((row) => ({
      ...row,
      best: row.summaries.map((summary, i) => summary?.mean === least[i]),
    })),
    verdict: judge(ablation.claimed, new Map(first), missing),
  };
}

/** What the cells that are done say about an ablation. */
export function outcomeOf(
  ablation: Ablation,
  all: readonly Done[],
  settings: PlanSettings,
): Outcome {
  const done = all.filter(({ cell }) => cell.ablation === ablation.name);
  const possible = ablation.variants.filter((variant) => isPossible(variant, settings));
  const left = ablation.variants.filter((variant) => !isPossible(variant, settings));
  const groups = [...Map.groupBy(possible, ({ group }) => group)].map(([name, variants]) =>
    groupOf(
      ablation,
      name,
      variants.map((variant) => variant.name),
      done.filter(({ cell }) => cell.variant.group === name),
    )
  );
  return {
    ablation,
    questions: shownQuestions(ablation),
    groups,
    absent: [
      ...left.map(({ name, needs }) => `${name}: give --${needs} FILE`),
      ...ablation.absent ?? [],
    ],
  };
}
