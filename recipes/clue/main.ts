/**
 * `deno task clue`: from a checkpoint to scores.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { InputError } from "../cli/input_error.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { type ProgressView, progressView } from "../cli/progress.ts";
import { longestText } from "../pretrain/positions.ts";
import { writeWhole } from "../run/write_whole.ts";
import { checkSubmissions } from "./check_submissions.ts";
import { chosenCell } from "./learning/chosen_cell.ts";
import { taskConfig, unfitFor } from "./learning/settings.ts";
import { clueCommand, type ClueOptions, clueOptions } from "./options.ts";
import { type Result, runTask, type TaskData, taskData } from "./run_task.ts";
import { scoreText } from "./scores.ts";
import { splitInto } from "./split_into.ts";
import { spreadLines } from "./spread.ts";
import type { Task } from "./task.ts";
import { type Placed, placedTasks } from "./task_folder.ts";
import { tasksTable } from "./tasks_table.ts";
import { type Start, startOf } from "./task_model.ts";
import { tasks } from "./tasks.ts";
import { GRAIN } from "./unit_batches.ts";
import { type Answers, writeAnswers, zipOf } from "./write_submissions.ts";

/** What tasks are learnt with. */
interface Tools {
  readonly options: ClueOptions;
  readonly start: Start;
  readonly device: Device;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
}

const lengthOf = ({ defaults }: Task, options: ClueOptions): number =>
  options.length ?? defaults.length;

/** Learns a task with all seeds; gives what the first one answers. */
async function learn(
  { task, folder }: Placed,
  data: TaskData,
  { options, start, device, interrupt, view }: Tools,
): Promise<{ readonly results: readonly Result[]; readonly answers: Answers }> {
  const { json, out } = options;
  const common = { task, folder, start, length: lengthOf(task, options) };
  const results: Result[] = [];
  for (const { notes } of [data.train, data.dev, ...data.tests]) notes.forEach(view.note);
  const unfit = unfitFor(task, options);
  if (unfit !== undefined) view.note(`${task.name} is learnt without ${unfit}`);
  view.note(`${task.name}: ${data.train.count} examples to learn from, on ${device.description}`);
  let first: Answers = {};
  const cell = await chosenCell({ ...common, device, interrupt, view }, data, options);
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++) {
    if (interrupt.requested) break;
    const config = taskConfig(task, options, seed, cell);
    const found = await runTask({ ...common, device, config, interrupt, view }, data);
    results.push(...found.results);
    for (const { scores, ...rest } of found.results) {
      if (!json) {
        console.log(`${task.name} ${rest.split}, seed ${seed}: ${scoreText(scores)}`);
        continue;
      }
      for (const [metric, value] of Object.entries(scores)) {
        console.log(JSON.stringify({ ...rest, metric, value }));
      }
    }
    if (out === undefined || interrupt.requested) continue;
    if (seed === options.seed) first = found.answers;
    await writeAnswers(out, found.answers, seed === options.seed ? undefined : seed);
  }
  return { results, answers: first };
}

/** Looks through answers and says what is wrong with them. */
async function check(path: string, own: readonly Task[], data: string): Promise<void> {
  const { files, faults, absent } = await checkSubmissions(path, own, data);
  for (const fault of faults) console.log(fault);
  if (absent.length > 0) console.log(`not there, and so not scored: ${absent.join(", ")}`);
  if (faults.length > 0) {
    throw new InputError(`Cannot hand ${path} in: ${faults.length} faults, named above`);
  }
  console.log(`no fault in ${files.join(", ")}`);
}

/** Refuses texts that the model has no positions for: batches are padded to a multiple of `GRAIN`. */
function refuseTooLong({ name }: Task, length: number, { model }: Start): void {
  const most = longestText(model), padded = Math.ceil(length / GRAIN) * GRAIN;
  if (padded <= most) return;
  throw new InputError(
    `Cannot learn ${name} from texts of ${padded} tokens: the model's scheme "${model.scheme}" has ${most} positions; give --length ${
      most - most % GRAIN
    } or less`,
  );
}

async function main(interrupt: Interrupt): Promise<number> {
  const options = clueOptions(Deno.args);
  if (options.help) {
    console.log(helpText(clueCommand));
    return 0;
  }
  if (options.tasks) {
    for (const line of tasksTable(tasks, options.json)) console.log(line);
    return 0;
  }
  const { out, json, data } = options, all = options.task === "all";
  const own = all ? Object.values(tasks).filter((one) => !one.variant) : [tasks[options.task!]!];
  if (options.split.length > 0) {
    for (const line of await splitInto(own[0]!, options.split, out!)) console.log(line);
    return 0;
  }
  if (options.check !== undefined) {
    await check(options.check, own, data!);
    return 0;
  }
  const unfit = unfitFor(own[0]!, options);
  if (!all && unfit !== undefined) {
    throw new InputError(`Cannot learn ${own[0]!.name} with ${unfit}; leave it out`);
  }
  using view = progressView();
  const { placed, absent } = await placedTasks(own, data!);
  const start = await startOf(options.model!, options.scratch);
  for (const { task } of placed) refuseTooLong(task, lengthOf(task, options), start);
  const read = ({ task, folder }: Placed): Promise<TaskData> =>
    taskData({ task, folder, start, length: lengthOf(task, options) }, options.folds);
  // A fault in the last task's files must not show after hours.
  let ready: TaskData | undefined;
  for (const one of placed) ready = await read(one);
  const device = await openDevice(options.device);
  if (absent.length > 0) view.note(`${data} has nothing to learn ${absent.join(", ")} from`);
  const results: Result[] = [], answers: Record<string, readonly string[]> = {};
  for (const one of placed) {
    if (interrupt.requested) break;
    const own = placed.length === 1 ? ready! : await read(one);
    const found = await learn(one, own, { options, start, device, interrupt, view });
    results.push(...found.results);
    Object.assign(answers, found.answers);
  }
  if (!json) { for (const line of spreadLines(results)) console.log(line); }
  if (!all || interrupt.requested || Object.keys(answers).length === 0) return 0;
  const path = join(out!, "submit.zip");
  await writeWhole(path, zipOf(answers));
  const { faults } = await checkSubmissions(path, own, data!);
  if (faults.length > 0) throw new RangeError(`Wrong answers in ${path}: ${faults.join("; ")}`);
  view.note(`${Object.keys(answers).length} files to hand in are in ${path}`);
  return 0;
}

if (import.meta.main) await runMain(main);
