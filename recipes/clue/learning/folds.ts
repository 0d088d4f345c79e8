/**
 * K models, each learnt from all but one of K folds of the labelled examples. The one fold chooses the model's best epoch; the mean of the
 * probabilities of all models answers the tests.
 *
 * @module
 */
import { InputError } from "../../cli/input_error.ts";
import type { ProgressView } from "../../cli/progress.ts";
import { foldOf } from "../split.ts";
import type { Prepared, Scores, Tuned } from "../task.ts";
import type { Unit } from "../unit.ts";
import { bestEpoch, type LearnOptions, type Outputs } from "./best_epoch.ts";

/** All that is labelled, and each fold of it beside the rest. */
export interface FoldData {
  readonly all: Prepared;
  readonly folds: readonly { readonly train: Prepared; readonly dev: Prepared }[];
}

/**
 * Folds by groups: none stands in two.
 *
 * @throws InputError where one would be empty.
 */
export function foldData(name: string, all: Prepared, count: number): FoldData {
  const folds = Array.from({ length: count }, (_, k) => ({
    train: all.part((group) => foldOf(group, count) !== k),
    dev: all.part((group) => foldOf(group, count) === k),
  }));
  const empty = folds.findIndex(({ train, dev }) => train.count === 0 || dev.count === 0);
  if (empty < 0) return { all, folds };
  throw new InputError(
    `Cannot learn ${name} with --folds ${count}: fold ${
      empty + 1
    } of ${all.count} examples would be empty, or all; give fewer folds or more examples`,
  );
}

/** What the models say together. */
export interface Folded {
  /** The best epoch of each. */
  readonly epochs: readonly number[];
  /** Of all labelled examples, each answered by the model that has not learnt from it. */
  readonly scores: Scores;
  readonly tuned?: Tuned;
  /** Answers to the units of every test. */
  readonly tests: readonly Outputs[];
}

/** Means of the same places. */
export function meanOutputs(all: readonly Outputs[]): Outputs {
  return all[0]!.map((first, n) =>
    first.map((_, i) => all.reduce((sum, own) => sum + own[n]![i]!, 0) / all.length)
  );
}

/** A view of the k-th of some pieces of work that are about the same, as a part of all. */
function partOf(view: ProgressView, k: number, of: number): ProgressView {
  return {
    ...view,
    show: ({ done, total = 0, ...rest }) =>
      view.show({ ...rest, done: k * total + done, total: of * total }),
  };
}

/** Learns a model a fold with one seed; undefined where it was interrupted. */
export async function learnFolds(
  options: Omit<LearnOptions, "label" | "wanted" | "judged" | "keep">,
  { all, folds }: FoldData,
  tests: readonly Prepared[],
): Promise<Folded | undefined> {
  const { task: { name, head }, config: { seed }, interrupt } = options;
  const said = new Map<Unit, Float32Array>(), answers: (readonly Outputs[])[] = [];
  const epochs: number[] = [];
  for (const [k, fold] of folds.entries()) {
    const label = `${name}, seed ${seed}, fold ${k + 1} of ${folds.length}`;
    const view = partOf(options.view, k, folds.length);
    const own = { ...options, view, label, wanted: "probabilities" } as const;
    const best = await bestEpoch(own, { ...fold, tests });
    if (!best || interrupt.requested) return undefined;
    fold.dev.units.forEach((unit, i) => said.set(unit, head.decide(best.outputs[i]!)));
    answers.push(best.tests);
    epochs.push(best.epoch);
  }
  const outputs = all.units.map((unit) => said.get(unit)!), tuned = all.tune(outputs);
  return {
    ...{ epochs, scores: all.judge(outputs, tuned) },
    ...tuned && { tuned },
    tests: tests.map((_, i) => meanOutputs(answers.map((own) => own[i]!)).map(head.decide)),
  };
}
