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
import type { BestEpoch } from "./saved_task.ts";
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
  /** Values on the dev split after every epoch. */
  readonly epochs: readonly Result[];
  /** Answers to tests, line by line, by the names of the files that they are handed in as. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
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
  /** Called with every epoch that is the best so far. */
  readonly keep?: (best: BestEpoch) => Promise<void>;
}

/** Rows that are answered at once, or those of one unit where it has more. */
const ANSWERED = 64;

/** The data of a task, read once for all seeds. */
export interface TaskData {
  readonly train: Prepared;
  readonly dev: Prepared;
  /** Some may have no labels. */
  readonly tests: readonly Prepared[];
}

/** Reads the splits of a task. */
export async function taskData(
  { task, folder, start, length }: Pick<TaskOptions, "task" | "folder" | "start" | "length">,
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
  return { train: train!, dev: dev!, tests: await task.tests(folder, tokens, length) };
}

/** The first of a task's metrics. */
export const mainScore = (scores: Scores): number => Object.values(scores)[0]!;

/** A best epoch so far. */
interface Best {
  readonly epoch: number;
  readonly dev: Scores;
  /** Outputs for every test. */
  readonly tests: readonly (readonly Float32Array[])[];
  readonly tuned?: Tuned;
}

/** Learns a task with one seed: every epoch is judged on the dev split, the best one answers the test split. */
export async function runTask(
  { task, start, device, config, interrupt, view, keep }: TaskOptions,
  { train, dev, tests }: TaskData,
): Promise<TaskRun> {
  const { head, name } = task, { options, vocabulary: { pad } } = start, { seed } = config;
  const epochs: Result[] = [];
  const answers = answerer(head, options, Math.ceil(ANSWERED / head.rows), pad, device);
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
        epochs.push({ task: name, split: "dev", seed, n: dev.count, epoch, scores });
        if (best && mainScore(best.dev) >= mainScore(scores)) return;
        const outputsOf: (readonly Float32Array[])[] = [];
        for (const { units } of tests) outputsOf.push(await answers(model, units));
        const about = { epoch, dev: scores, ...tuned && { tuned } };
        best = { ...about, tests: outputsOf };
        await keep?.({ ...about, model });
      },
    },
  );
  dispose(model);
  if (!best) return { results: [], epochs, answers: {} };
  const { epoch, tuned, tests: outputs } = best, about = { task: name, seed, epoch };
  const judged = tests.flatMap((test, i): readonly Result[] => {
    if (!test.labelled) return [];
    const scores = test.judge(outputs[i]!, tuned);
    return [{ ...about, split: "test", n: test.count, scores }];
  });
  return {
    results: [{ ...about, split: "dev", n: dev.count, scores: best.dev }, ...judged],
    epochs,
    answers: Object.fromEntries(
      tests.flatMap(({ submission, lines }, i) =>
        submission === undefined ? [] : [[submission, lines(outputs[i]!, tuned)]]
      ),
    ),
  };
}

/** Values in words. */
export function scoreText(scores: Scores): string {
  return Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ");
}
