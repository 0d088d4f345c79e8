/**
 * Distillation on a task: a student learns the answers of a fine-tuned teacher.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";
import type { FineTuneConfig } from "../clue/fine_tune.ts";
import { runTask, type TaskData } from "../clue/run_task.ts";
import { type SavedTask, savedTask, taskSaver } from "../clue/saved_task.ts";
import type { Task } from "../clue/task.ts";
import type { Start } from "../clue/task_model.ts";
import { checkpointPath, weightsHash } from "../run/checkpoint.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import { answersOf, compareTasks, type Comparison } from "./compare_tasks.ts";
import { distilledHead, isSoft, type SoftLabels } from "./distilled_head.ts";
import { taughtUnits } from "./taught_units.ts";
import { teacherOutputs } from "./teacher_outputs.ts";

/** Where teachers' answers are kept. */
const CACHE = join(".cache", "distill");

/** A teacher of a task, and its folder. */
export interface TaskTeacher {
  readonly saved: SavedTask;
  readonly path: string;
}

/** A student of a task. */
export interface DistillTaskOptions {
  readonly task: Task;
  readonly teacher: TaskTeacher;
  readonly student: Start;
  readonly data: TaskData;
  readonly length: number;
  readonly config: FineTuneConfig;
  readonly soft: SoftLabels;
  readonly device: Device;
  /** Where the student is left. */
  readonly out: string;
  /** Where teachers' answers are kept; `.cache/distill`. */
  readonly cache?: string;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
}

/**
 * Refuses a model that reads other tokens, or answers another task.
 *
 * @throws InputError
 */
export function refuseOther(
  { name }: Task,
  { saved, path }: TaskTeacher,
  student: { readonly path: string; readonly vocabulary: Vocabulary },
): void {
  if (saved.task.name !== name) {
    throw new InputError(
      `Cannot distil ${name} from ${path}: it has learnt ${saved.task.name}; pass another --teacher or --task`,
    );
  }
  const [known, own] = [saved.vocabulary.tokens, student.vocabulary.tokens];
  if (known.length === own.length && known.every((token, i) => token === own[i])) return;
  throw new InputError(
    `Cannot distil ${path} into ${student.path}: their vocabularies differ (${known.length} and ${own.length} tokens); both must come from the same pretraining`,
  );
}

/**
 * Refuses a task whose answers are no single choice.
 *
 * @throws InputError
 */
export function refuseHard({ name, head }: Task): void {
  if (isSoft(head)) return;
  throw new InputError(
    `Cannot distil ${name}: a teacher's answers are learnt where each is one class or one choice; fine-tune a student of text with deno task clue`,
  );
}

/** Teaches a student a task and leaves it in a folder; undefined where it was interrupted. */
export async function distillTask(o: DistillTaskOptions): Promise<Comparison | undefined> {
  const { task, teacher: { saved, path }, student, data, length, config, device, out, view } = o;
  const { train } = data, { epoch, model } = saved.config;
  const of = {
    sha256: await weightsHash(checkpointPath(path, epoch)),
    settings: { task: task.name, model },
    device: device.kind,
  };
  const outputs = await teacherOutputs(
    o.cache ?? CACHE,
    of,
    train.units,
    () =>
      answersOf(
        saved,
        train.units,
        device,
        (done) => view.show({ label: `${task.name}, teacher`, done, total: train.units.length }),
      ),
    view.note,
  );
  const units = taughtUnits(train.units, outputs);
  const about = { task: task.name, length, texts: saved.config.texts };
  await using saver = await taskSaver(out, student, about);
  await runTask({
    task: { ...task, head: distilledHead(task.head, o.soft) },
    folder: path,
    start: student,
    ...{ length, device, config, interrupt: o.interrupt, view },
    keep: (best) => saver.keep(best, config.seed),
    // Tests are answered below, by the student that was kept.
  }, { ...data, train: { ...train, units }, tests: [] });
  if (o.interrupt.requested) return undefined;
  await saver.finish();
  return await compareTasks(saved, await savedTask(out), task, data, device);
}
