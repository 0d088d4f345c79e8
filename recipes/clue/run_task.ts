/**
 * One task, learnt and judged with one seed after another.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { tokenizer } from "../text/tokenize.ts";
import { bestEpoch, type LearnOptions, type Outputs } from "./learning/best_epoch.ts";
import { type FoldData, foldData, learnFolds } from "./learning/folds.ts";
import type { Prepared, Scores, SplitName, Task, Tuned } from "./task.ts";
import type { Start } from "./task_model.ts";

/** Values of one split after one seed's best epoch. */
export interface Result {
  readonly task: string;
  /** `folds`: all that is labelled, each example answered by a model that has not learnt from it. */
  readonly split: SplitName | "folds";
  readonly seed: number;
  /** Examples. */
  readonly n: number;
  /** The epoch that was the best on the dev split; of folds the last of theirs. */
  readonly epoch: number;
  /** The epochs whose mean was better still. */
  readonly averaged?: readonly number[];
  readonly scores: Scores;
}

/** What a seed leaves behind. */
export interface TaskRun {
  readonly results: readonly Result[];
  /** Values on the dev split after every epoch; of folds none. */
  readonly epochs: readonly Result[];
  /** Answers to tests, line by line, by the names of the files that they are handed in as. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

/** What `runTask` needs. */
export interface TaskOptions extends LearnOptions {
  readonly task: Task;
  /** The task's files. */
  readonly folder: string;
  readonly length: number;
}

/** The data of a task, read once for all seeds. */
export interface TaskData {
  readonly train: Prepared;
  readonly dev: Prepared;
  /** Some may have no labels. */
  readonly tests: readonly Prepared[];
  /** Where folds are asked for. */
  readonly folds?: FoldData;
}

/** Reads the splits of a task. */
export async function taskData(
  { task, folder, start, length }: Pick<TaskOptions, "task" | "folder" | "length"> & {
    readonly start: Pick<Start, "vocabulary">;
  },
  folds = 1,
): Promise<TaskData> {
  const tokens = tokenizer(start.vocabulary);
  const [train, dev] = await Promise.all(
    (["train", "dev"] as const).map((split) => task.load(folder, split, tokens, length)),
  );
  for (const [name, found] of [["train", train], ["dev", dev]] as const) {
    if (!found) {
      throw new InputError(
        `Cannot learn ${task.name} from ${folder}: it has no ${name} file; clue --download brings official ones, clue --split FILE makes one from a part of the data`,
      );
    }
  }
  const all = folds > 1 ? await task.labelled(folder, tokens, length) : undefined;
  return {
    ...{ train: train!, dev: dev!, tests: await task.tests(folder, tokens, length) },
    ...all && { folds: foldData(task.name, all, folds) },
  };
}

/**
 * Learns a task with one seed: every epoch is judged on the dev split, the best one answers the test split. Where there are folds, the models of
 * all of them do, together.
 */
export async function runTask(options: TaskOptions, data: TaskData): Promise<TaskRun> {
  if (data.folds) return await runFolds(options, data.folds, data.tests);
  const { task: { name }, config: { seed } } = options, { dev, tests } = data;
  const epochs: Result[] = [];
  const best = await bestEpoch({
    ...options,
    judged(epoch, scores) {
      epochs.push({ task: name, split: "dev", seed, n: dev.count, epoch, scores });
    },
  }, data);
  if (!best) return { results: [], epochs, answers: {} };
  const { epoch, averaged, tuned } = best;
  const about = { task: name, seed, epoch, ...averaged && { averaged } };
  return {
    results: [
      { ...about, split: "dev", n: dev.count, scores: best.dev },
      ...judged(tests, best.tests, tuned, about),
    ],
    epochs,
    answers: answersOf(tests, best.tests, tuned),
  };
}

/** Learns a model a fold. */
async function runFolds(
  options: TaskOptions,
  data: FoldData,
  tests: readonly Prepared[],
): Promise<TaskRun> {
  const { task: { name }, config: { seed } } = options;
  const found = await learnFolds(options, data, tests);
  if (!found) return { results: [], epochs: [], answers: {} };
  const { scores, tuned } = found;
  const about = { task: name, seed, epoch: Math.max(...found.epochs) };
  return {
    results: [
      { ...about, split: "folds", n: data.all.count, scores },
      ...judged(tests, found.tests, tuned, about),
    ],
    epochs: [],
    answers: answersOf(tests, found.tests, tuned),
  };
}

/** Values of the tests that have labels. */
function judged(
  tests: readonly Prepared[],
  outputs: readonly Outputs[],
  tuned: Tuned | undefined,
  about: Pick<Result, "task" | "seed" | "epoch" | "averaged">,
): readonly Result[] {
  return tests.flatMap((test, i): readonly Result[] =>
    test.labelled
      ? [{ ...about, split: "test", n: test.count, scores: test.judge(outputs[i]!, tuned) }]
      : []
  );
}

/** What is handed in. */
function answersOf(
  tests: readonly Prepared[],
  outputs: readonly Outputs[],
  tuned: Tuned | undefined,
): TaskRun["answers"] {
  return Object.fromEntries(
    tests.flatMap(({ submission, lines }, i) =>
      submission === undefined ? [] : [[submission, lines(outputs[i]!, tuned)]]
    ),
  );
}
