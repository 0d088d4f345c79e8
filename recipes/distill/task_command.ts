/**
 * Distillation on a task, and a student beside its teacher, as the command line asks for them.
 *
 * @module
 */
import { openDevice } from "../../core/device/open.ts";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";
import { taskData } from "../clue/run_task.ts";
import { savedTask } from "../clue/saved_task.ts";
import { usual } from "../clue/learning/settings.ts";
import { refuseTooLong } from "../clue/refuse_too_long.ts";
import { placedTasks } from "../clue/task_folder.ts";
import { startOf } from "../clue/task_model.ts";
import { tasks } from "../clue/tasks.ts";
import { newRun } from "../run/run_folder.ts";
import { compareTasks, type Comparison, comparisonLines } from "./compare_tasks.ts";
import { distillTask, refuseHard, refuseOther } from "./distill_task.ts";
import type { DistillOptions } from "./options.ts";

function show(found: Comparison, json: boolean): void {
  if (!json) { for (const line of comparisonLines(found)) console.log(line); }
  else for (const row of [...found.scores, found.pace]) console.log(JSON.stringify(row));
}

/** Learns a task from a teacher, or compares; gives the exit code. */
export async function taskCommand(
  options: DistillOptions,
  interrupt: Interrupt,
  view: ProgressView,
): Promise<number> {
  const { json, compare, alpha = 0.7, temperature, seed = 1 } = options;
  const task = tasks[options.task!]!,
    work = `distil ${options.task}`,
    { defaults } = task,
    { placed: [placed] } = await placedTasks(
      [task],
      options.data!,
    );
  const teacher = { saved: await savedTask(options.teacher!), path: options.teacher! };
  const length = options.length ?? teacher.saved.config.length, path = options.student!;
  const read = (start: Parameters<typeof taskData>[0]["start"]) =>
    taskData({ task, folder: placed!.folder, start, length });
  if (compare) {
    const student = await savedTask(path);
    for (const { saved, path: from } of [teacher, { saved: student, path }]) {
      refuseOther(task, { saved, path: from }, { path, vocabulary: student.vocabulary });
    }
    refuseTooLong(work, length, [teacher.saved.config.model, student.config.model]);
    const data = await read(student), device = await openDevice(options.device);
    show(await compareTasks(teacher.saved, student, task, data, device), json);
    return 0;
  }
  refuseHard(task);
  const student = await startOf(path, false);
  refuseOther(task, teacher, { path, vocabulary: student.vocabulary });
  refuseTooLong(work, length, [teacher.saved.config.model, student.model]);
  const data = await read(student), out = options.out!;
  await newRun(out);
  const device = await openDevice(options.device);
  for (const { notes } of [data.train, data.dev, ...data.tests]) notes.forEach(view.note);
  const found = await distillTask({
    ...{ task, teacher, student, data, length, device, out, interrupt, view },
    soft: { alpha, temperature },
    config: {
      epochs: options.epochs ?? defaults.epochs,
      batch: options.batch ?? defaults.batch,
      rate: options.rate ?? defaults.rate,
      dropout: options.dropout ?? defaults.dropout,
      ...usual,
      seed,
    },
  });
  if (found) show(found, json);
  return 0;
}
