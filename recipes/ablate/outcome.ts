/**
 * What an ablation found: a table of means, and for every group a verdict.
 *
 * @module
 */
import {
  type Ablation,
  isClicks,
  type Question,
  shownQuestions,
  type Variant,
} from "./ablation.ts";
import type { AblateData } from "./ablate_data.ts";
import type { CellResult } from "./cell_store.ts";
import { type Cell, isPossible, phasesOf, type PlanSettings } from "./plan.ts";
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
  /** One for each shown question. */
  readonly verdicts: readonly Verdict[];
}

/** A verdict with what it is about, as far as there are several: `batch 32, [MASK]: shows: …`. */
export function verdictLines({ questions, groups }: Outcome): readonly string[] {
  return groups.flatMap(({ name, verdicts }) =>
    verdicts.map(({ text }, i) => {
      const about = [name ?? [], questions.length > 1 ? questions[i]!.name : []].flat();
      return about.length > 0 ? `${about.join(", ")}: ${text}` : text;
    })
  );
}

/** What an ablation found. */
export interface Outcome {
  readonly ablation: Ablation;
  readonly questions: readonly Question[];
  readonly groups: readonly OutcomeGroup[];
  /** What knows nothing of the context reaches, for each shown question; undefined where nothing was asked yet. */
  readonly floors: readonly (number | undefined)[];
  /** Trainings that are planned and not done: a variant and its seeds. */
  readonly missing: readonly string[];
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
  floors: Outcome["floors"],
): OutcomeGroup {
  const questions = shownQuestions(ablation);
  const rows = variants.map((variant) => {
    const own = done.filter(({ cell }) => cell.variant.name === variant);
    const summaries = questions.map((question) => summaryFor(question, own));
    return { variant, seeds: own.length, summaries, done: own };
  });
  const best = questions.map((question, i) => {
    const means = rows.map(({ summaries }) => summaries[i]?.mean ?? NaN).filter(Number.isFinite);
    return isClicks(question) ? Math.max(...means) : Math.min(...means);
  });
  const missing = rows.filter(({ seeds }) => seeds === 0).map(({ variant }) => variant);
  return {
    name,
    rows: rows.map((row) => ({
      ...row,
      best: row.summaries.map((summary, i) => summary?.mean === best[i]),
    })),
    verdicts: questions.map((question, i) => {
      const found = rows.flatMap(({ variant, summaries }) =>
        summaries[i] ? [[variant, summaries[i]] as const] : []
      );
      const { claimed, noWorse = false } = ablation, higher = isClicks(question);
      return judge({ claimed, noWorse, higher, floor: floors[i] }, new Map(found), missing);
    }),
  };
}

/** `batch 32 adamw (seeds 1, 2)`: variants and the seeds that they are not trained with yet. */
function missingOf(
  variants: readonly Variant[],
  done: readonly Done[],
  { seeds }: PlanSettings,
): readonly string[] {
  return variants.flatMap(({ name, group }) => {
    const left = Array.from({ length: seeds }, (_, i) => i + 1).filter((seed) =>
      !done.some(({ cell: { variant, seed: trained } }) =>
        trained === seed && variant.name === name && variant.group === group
      )
    );
    if (left.length === 0) return [];
    const label = group === undefined ? name : `${group} ${name}`;
    return [`${label} (${left.length === 1 ? "seed" : "seeds"} ${left.join(", ")})`];
  });
}

/** What a question is worth to who knows nothing of the context: the unigram model's perplexity, chance's order of titles. */
async function floorOf(
  question: Question,
  [first]: readonly Done[],
  data: Pick<AblateData, "unigram" | "chance">,
): Promise<number | undefined> {
  if (!first) return undefined;
  if (!isClicks(question)) return data.unigram(question);
  return await data.chance(question, phasesOf(first.cell).at(-1)!.click!);
}

/** What the cells that are done say about an ablation. */
export async function outcomeOf(
  ablation: Ablation,
  all: readonly Done[],
  settings: PlanSettings,
  data: Pick<AblateData, "unigram" | "chance">,
): Promise<Outcome> {
  const done = all.filter(({ cell }) => cell.ablation === ablation.name);
  const possible = ablation.variants.filter((variant) => isPossible(variant, settings));
  const left = ablation.variants.filter((variant) => !isPossible(variant, settings));
  const questions = shownQuestions(ablation), floors: (number | undefined)[] = [];
  for (const question of questions) floors.push(await floorOf(question, done, data));
  const groups = [...Map.groupBy(possible, ({ group }) => group)].map(([name, variants]) =>
    groupOf(
      ablation,
      name,
      variants.map((variant) => variant.name),
      done.filter(({ cell }) => cell.variant.group === name),
      floors,
    )
  );
  return {
    ...{ ablation, groups, floors },
    // What is simulated says so wherever it is shown.
    questions: questions.map((question) =>
      isClicks(question) && settings.clicks === undefined
        ? { ...question, name: `${question.name} (SIMULATED)` }
        : question
    ),
    missing: missingOf(possible, done, settings),
    absent: [
      ...left.map(({ name, needs }) => `${name}: give --${needs} FILE`),
      ...ablation.absent ?? [],
    ],
  };
}
