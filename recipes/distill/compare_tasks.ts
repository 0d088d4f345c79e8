/**
 * A student beside its teacher: what it keeps of the scores, and how much faster it answers.
 *
 * Both answer the same units in turn, several times; the first time, in which programs are compiled, does not count. What is compared is
 * the time from units to answers on this device, batches of the same units padded alike: the median of the ratios of neighbouring turns,
 * which a load that comes and goes changes little.
 *
 * @module
 */
import { type Device, dispose } from "../../core/mod.ts";
import { answeredAtOnce, type Answerer, answerer } from "../clue/answer.ts";
import type { TaskData } from "../clue/run_task.ts";
import type { SavedTask } from "../clue/saved_task.ts";
import type { Prepared, Scores, SplitName, Task, Tuned } from "../clue/task.ts";
import type { TaskModel } from "../clue/task_model.ts";
import type { Unit } from "../clue/unit.ts";
import { median } from "../observe/median.ts";
import { encoderOptions } from "../pretrain/model.ts";

/** One metric of one split. */
export interface Kept {
  readonly task: string;
  readonly split: SplitName;
  readonly metric: string;
  readonly n: number;
  readonly teacher: number;
  readonly student: number;
  /** student / teacher. */
  readonly kept: number;
}

/** Times of the same work. */
export interface Pace {
  /** Units that are answered a second. */
  readonly teacher: number;
  readonly student: number;
  /** How many times as fast the student is: the median over the turns. */
  readonly times: number;
}

/** What came of it. */
export interface Comparison {
  readonly scores: readonly Kept[];
  readonly pace: Pace;
}

/** Turns that are timed, and units of one, at most. */
const TURNS = 7, TIMED = 512;

/** A model on its device. */
interface Opened {
  readonly model: TaskModel;
  readonly answer: Answerer;
}

/** A fine-tuned model on a device, and the function that asks it. */
async function opened(
  { config, task: { head }, vocabulary, open }: SavedTask,
  device: Device,
): Promise<Opened> {
  const options = encoderOptions(config.model), U = answeredAtOnce(head);
  return {
    model: await open(device),
    answer: answerer(head, options, U, vocabulary.pad, device),
  };
}

/** What a fine-tuned model answers to units. */
export async function answersOf(
  saved: SavedTask,
  units: readonly Unit[],
  device: Device,
  progress?: (done: number) => void,
): Promise<readonly Float32Array[]> {
  const { model, answer } = await opened(saved, device);
  try {
    return await answer(model, units, progress);
  } finally {
    dispose(model);
  }
}

/** Lets both answer the same units in turn. */
async function pace(teacher: Opened, student: Opened, units: readonly Unit[]): Promise<Pace> {
  const timed = async ({ model, answer }: Opened): Promise<number> => {
    const began = performance.now();
    await answer(model, units);
    return (performance.now() - began) / 1000;
  };
  await timed(teacher);
  await timed(student);
  const turns: (readonly [teacher: number, student: number])[] = [];
  while (turns.length < TURNS) turns.push([await timed(teacher), await timed(student)]);
  return {
    teacher: units.length / median(turns.map(([t]) => t)),
    student: units.length / median(turns.map(([, s]) => s)),
    times: median(turns.map(([t, s]) => t / s)),
  };
}

/** Judges and times a student beside its teacher on the dev split, and judges both on the tests that have labels. */
export async function compareTasks(
  teacher: SavedTask,
  student: SavedTask,
  { name }: Task,
  { dev, tests }: Pick<TaskData, "dev" | "tests">,
  device: Device,
): Promise<Comparison> {
  const models = [await opened(teacher, device), await opened(student, device)] as const;
  const scoresOf = async (
    split: Prepared,
    { model, answer }: Opened,
    { config: { tuned } }: SavedTask,
  ): Promise<Scores> =>
    split.judge(await answer(model, split.units), (tuned ?? undefined) as Tuned | undefined);
  const scores: Kept[] = [];
  const splits = [["dev", dev], ...tests.map((test) => ["test", test] as const)] as const;
  for (const [split, own] of splits) {
    if (!own.labelled) continue;
    const t = await scoresOf(own, models[0], teacher), s = await scoresOf(own, models[1], student);
    for (const [metric, value] of Object.entries(t)) {
      const student = s[metric]!;
      scores.push({
        ...{ task: name, split, metric, n: own.count },
        ...{ teacher: value, student, kept: student / value },
      });
    }
  }
  const found = await pace(models[0], models[1], dev.units.slice(0, TIMED));
  dispose(models.map(({ model }) => model));
  return { scores, pace: found };
}

/** A comparison in words. */
export function comparisonLines({ scores, pace }: Comparison): readonly string[] {
  return [
    ...scores.map(({ task, split, metric, teacher, student, kept }) =>
      `${task} ${split} ${metric}: ${student.toFixed(2)}, the teacher's ${teacher.toFixed(2)}, ${
        (100 * kept).toFixed(1)
      } % kept`
    ),
    `${pace.times.toFixed(1)} times as fast: ${
      pace.student.toFixed(0)
    } units a second, the teacher ${pace.teacher.toFixed(0)}`,
  ];
}
