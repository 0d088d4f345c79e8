/**
 * One task, learnt and judged with one seed after another.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";
import { InputError } from "../cli/input_error.ts";
import { tokenizer } from "../text/tokenize.ts";
import { answerer } from "./answer.ts";
import { fineTune, type FineTuneConfig } from "./fine_tune.ts";
import type { Prepared, Scores, SplitName, Task, Tuned } from "./task.ts";
import type { Start } from "./task_model.ts";

/** Values of one split after one seed's best epoch. */
export interface Result {
  readonly task: string;
  readonly split: SplitName;
  readonly seed: number;
  /** Examples. */
  readonly n: number;
  /** The epoch that was the best on the dev split. */
  readonly epoch: number;
  readonly scores: Scores;
}

/** What a seed leaves behind. */
export interface TaskRun {
  readonly results: readonly Result[];
  /** The answers to the test split, where there is one, as a submission has them. */
  readonly lines?: readonly string[];
}

/** What `runTask` needs. */
export interface TaskOptions {
  readonly task: Task;
  /** The task's files. */
  readonly folder: string;
  readonly start: Start;
  readonly device: Device;
  readonly config: FineTuneConfig;
  readonly length: number;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
}

/** Units that are answered at once. */
const ANSWERED = 64;

/** The data of a task, read once for all seeds. */
export interface TaskData {
  readonly train: Prepared;
  readonly dev: Prepared;
  readonly test?: Prepared;
}

/** Reads the splits of a task. */
export async function taskData(
  { task, folder, start, length }: Pick<TaskOptions, "task" | "folder" | "start" | "length">,
): Promise<TaskData> {
  const tokens = tokenizer(start.vocabulary);
  const [train, dev, test] = await Promise.all(
    (["train", "dev", "test"] as const).map((split) => task.load(folder, split, tokens, length)),
  );
  for (const [name, found] of [["train", train], ["dev", dev]] as const) {
    if (!found) {
      throw new InputError(
        `Cannot learn ${task.name} from ${folder}: it has no ${name} file; clue --split FILE makes one from a part of the data`,
      );
    }
  }
  return { train: train!, dev: dev!, ...test && { test } };
}

/** The first of a task's metrics. */
export const mainScore = (scores: Scores): number => Object.values(scores)[0]!;

/** A best epoch so far. */
interface Best {
  readonly epoch: number;
  readonly dev: Scores;
  readonly test?: readonly Float32Array[];
  readonly tuned?: Tuned;
}

/** Learns a task with one seed: every epoch is judged on the dev split, the best one answers the test split. */
export async function runTask(
  { task, start, device, config, interrupt, view }: TaskOptions,
  { train, dev, test }: TaskData,
): Promise<TaskRun> {
  const { head, name } = task, { options, vocabulary: { pad } } = start, { seed } = config;
  const answers = answerer(head, options, ANSWERED, pad, device);
  let best: Best | undefined;
  const model = await fineTune(
    await start.begin(head, seed, device),
    { head, options, units: train.units, pad, device },
    config,
    {
      progress: (done, total, loss) =>
        view.show({
          label: `${name}, seed ${seed}`,
          done,
          total,
          figures: Number.isNaN(loss) ? [] : [`loss ${loss.toFixed(3)}`],
        }),
      stop: () => interrupt.requested,
      async epoch(epoch, model) {
        const outputs = await answers(model, dev.units), tuned = dev.tune(outputs);
        const scores = dev.judge(outputs, tuned);
        view.note(`${name}, seed ${seed}, epoch ${epoch}: dev ${scoreText(scores)}`);
        if (best && mainScore(best.dev) >= mainScore(scores)) return;
        best = {
          epoch,
          dev: scores,
          ...test && { test: await answers(model, test.units) },
          ...tuned && { tuned },
        };
      },
    },
  );
  dispose(model);
  if (!best) return { results: [] };
  const { epoch, tuned } = best, about = { task: name, seed, epoch };
  return {
    results: [
      { ...about, split: "dev", n: dev.count, scores: best.dev },
      ...test?.labelled
        ? [
          {
            ...about,
            split: "test",
            n: test.count,
            scores: test.judge(best.test!, tuned),
          } as const,
        ]
        : [],
    ],
    ...test && { lines: test.lines(best.test!, tuned) },
  };
}

/** Values in words. */
export function scoreText(scores: Scores): string {
  return Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ");
}
