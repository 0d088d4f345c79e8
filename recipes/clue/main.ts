/**
 * `deno task clue`: from a checkpoint to scores.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { openDevice } from "../../core/device/open.ts";
import { InputError } from "../cli/input_error.ts";
import { type Interrupt, isUsers, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { overallProgress } from "../cli/overall_progress.ts";
import { type ProgressView, progressView } from "../cli/progress.ts";
import { newRun, refuseUnwritable } from "../run/run_folder.ts";
import { writeWhole } from "../run/write_whole.ts";
import { checkSubmissions } from "./check_submissions.ts";
import { archives } from "./download/archives.ts";
import { bringTasks } from "./download/download.ts";
import { chosenCell } from "./learning/chosen_cell.ts";
import { cellsOf } from "./learning/grid.ts";
import { taskConfig, unfitFor } from "./learning/settings.ts";
import { clueCommand, type ClueOptions, clueOptions } from "./options.ts";
import { refuseTooLong } from "./refuse_too_long.ts";
import { boardRows } from "./results/boards.ts";
import { readResults } from "./results/read_results.ts";
import { type EpochRow, epochRowsOf, type ResultRow, rowsOf } from "./results/result_row.ts";
import { refuseToLose } from "./results/refuse_to_lose.ts";
import { resultLines } from "./results/results_table.ts";
import { saveResults } from "./results/save_results.ts";
import { runTask, type TaskData, taskData } from "./run_task.ts";
import { type BestEpoch, taskSaver } from "./saved_task.ts";
import { mainScore, scoreText } from "./scores.ts";
import { someUnits } from "./some_units.ts";
import { splitInto } from "./split_into.ts";
import type { Task } from "./task.ts";
import { type Placed, placedTasks } from "./task_folder.ts";
import { tasksTable } from "./tasks_table.ts";
import { type Start, startOf } from "./task_model.ts";
import { tasks } from "./tasks.ts";
import { workOf } from "./work.ts";
import {
  type Answers,
  bestOf,
  type SeedAnswers,
  writeSeedAnswers,
  zipOf,
} from "./write_submissions.ts";

/** What tasks are learnt with. */
interface Tools {
  readonly options: ClueOptions;
  readonly start: Start;
  readonly device: Device;
  readonly interrupt: Interrupt;
  /** One for each cell of a grid, then one for each seed. */
  readonly views: readonly ProgressView[];
}

const lengthOf = ({ defaults }: Task, options: ClueOptions): number =>
  options.length ?? defaults.length;

/** Where a task's model is left. */
const savedIn = ({ task, save }: ClueOptions, { name }: Task): string | undefined =>
  save === undefined || task !== "all" ? save : join(save, name);

/** How many cells of a grid are tried before the seeds. */
const triedCells = (task: Task, options: ClueOptions): number => {
  const { length } = cellsOf(task, options);
  return length > 1 ? length : 0;
};

/** What has been learnt so far. */
interface Learnt {
  readonly rows: readonly ResultRow[];
  readonly epochs: readonly EpochRow[];
  /** What is handed in. */
  readonly answers: Answers;
}

/** Learns a task with all seeds; what was not learnt to its end does not count. The best seed on the dev split answers. */
async function learn(
  { task, folder }: Placed,
  data: TaskData,
  { options, start, device, interrupt, views }: Tools,
): Promise<Learnt> {
  const { json, out } = options, length = lengthOf(task, options);
  const common = { task, folder, start, length, device, interrupt };
  const rows: ResultRow[] = [], epochs: EpochRow[] = [], seeds: SeedAnswers[] = [];
  const [view] = views as [ProgressView], cells = triedCells(task, options);
  for (const { notes } of [data.train, data.dev, ...data.tests]) notes.forEach(view.note);
  const unfit = unfitFor(task, options);
  if (unfit !== undefined) view.note(`${task.name} is learnt without ${unfit}`);
  view.note(`${task.name}: ${data.train.count} examples to learn from, on ${device.description}`);
  const texts = data.train.units.some(({ rows: [row] }) => row!.segments.includes(1)) ? 2 : 1;
  const saved = savedIn(options, task), about = { task: task.name, length, texts };
  await using saver = saved === undefined ? undefined : await taskSaver(saved, start, about);
  const cell = await chosenCell({ ...common, views }, data, options);
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++) {
    if (interrupt.requested) break;
    const config = taskConfig(task, options, seed, cell);
    const view = views[cells + seed - options.seed]!;
    const keep = saver && { keep: (best: BestEpoch) => saver.keep(best, seed) };
    const found = await runTask({ ...common, config, view, ...keep }, data);
    if (interrupt.requested) break;
    rows.push(...found.results.flatMap(rowsOf));
    epochs.push(...found.epochs.flatMap(epochRowsOf));
    seeds.push({ seed, dev: mainScore(found.results[0]!.scores), answers: found.answers });
    if (json) { for (const row of found.results.flatMap(rowsOf)) console.log(JSON.stringify(row)); }
    else {
      for (const { split, scores } of found.results) {
        console.log(`${task.name} ${split}, seed ${seed}: ${scoreText(scores)}`);
      }
    }
  }
  if (!interrupt.requested) await saver?.finish();
  if (out !== undefined) await writeSeedAnswers(out, seeds);
  const best = bestOf(seeds);
  if (seeds.length > 1 && Object.keys(best!.answers).length > 0) {
    view.note(`${task.name}: seed ${best!.seed} is the best on dev and answers the test`);
  }
  return { rows, epochs, answers: best?.answers ?? {} };
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

/** Shows results of earlier calls together. */
async function show({ results, out, json }: ClueOptions): Promise<void> {
  const found = await readResults(results), subtitle = results.join(", ");
  if (out !== undefined) {
    await refuseUnwritable(out);
    await refuseToLose(out, found.rows);
    await saveResults(out, { subtitle, ...found, faults: [] });
  }
  const rows = [...found.rows, ...boardRows(found.rows)];
  for (const line of json ? rows.map((row) => JSON.stringify(row)) : resultLines(found.rows)) {
    console.log(line);
  }
}

/** Brings the archives of tasks. */
async function download(
  own: readonly Task[],
  { data, mirror, task }: ClueOptions,
  interrupt: Interrupt,
  view: ProgressView,
): Promise<number> {
  const has = ({ name }: Task): boolean => Object.hasOwn(archives, name);
  const without = own.filter((one) => !has(one)).map(({ name }) => name).join(", ");
  const kB = (bytes: number): number => Math.ceil(bytes / 1000);
  const faults = await bringTasks({
    tasks: task === "all" ? own.filter(has) : own,
    data: data!,
    ...mirror !== undefined && { mirror },
  }, {
    note: (line) => view.note(line),
    progress: (name, done, total) =>
      view.show({
        label: `${name}, kB`,
        done: kB(done),
        ...total !== undefined && { total: kB(total) },
      }),
    stop: () => interrupt.requested,
  });
  if (task === "all") view.note(`CLUE has no archives of ${without}`);
  for (const fault of faults) view.note(fault);
  return faults.length > 0 ? 2 : 0;
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
  if (options.results.length > 0) {
    await show(options);
    return 0;
  }
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
  if (options.download) return await download(own, options, interrupt, view);
  const { placed, absent } = await placedTasks(own, data!);
  const start = await startOf(options.model!, options.scratch);
  for (const { task } of placed) {
    refuseTooLong(`learn ${task.name}`, lengthOf(task, options), [start.model]);
  }
  const { seeds, seed: first } = options;
  if (out !== undefined) {
    const coming = placed.flatMap(({ task }) =>
      Array.from({ length: seeds }, (_, i) => ({ task: task.name, seed: first + i }))
    );
    await refuseToLose(out, coming);
  }
  const read = async ({ task, folder }: Placed): Promise<TaskData> => {
    const own = { task, folder, start, length: lengthOf(task, options) };
    return someUnits(await taskData(own, options.folds), options["train-examples"]);
  };
  const faults: string[] = [], failed: string[] = [];
  // Of all tasks, one that is bad keeps no other back.
  const refuse = ({ task }: Placed, error: unknown): void => {
    if (!all || !isUsers(error)) throw error;
    faults.push(error.message);
    failed.push(task.name);
    view.note(error.message);
  };
  // A fault in the last task's files must not show after hours.
  let ready: TaskData | undefined;
  const works = new Map<Placed, number>();
  for (const one of placed) {
    try {
      ready = await read(one);
      const folder = savedIn(options, one.task);
      if (folder !== undefined) await newRun(folder, "--save");
      works.set(one, workOf(ready, options.epochs ?? one.task.defaults.epochs));
    } catch (error) {
      refuse(one, error);
    }
  }
  if (out !== undefined && works.size > 0) await refuseUnwritable(out);
  const device = await openDevice(options.device);
  if (start.note !== undefined) view.note(start.note);
  if (absent.length > 0) view.note(`${data} has nothing to learn ${absent.join(", ")} from`);
  const rows: ResultRow[] = [], epochs: EpochRow[] = [];
  const answers: Record<string, readonly string[]> = {};
  const most = options["train-examples"];
  const subtitle = [
    `${options.scratch ? "sizes of " : ""}${options.model}, on ${device.description}`,
    ...most === undefined ? [] : [`${most.toLocaleString("en")} examples to learn from at most`],
  ].join(", ");
  const pieces = [...works].map(([{ task }, work]) =>
    Array<number>(triedCells(task, options) + seeds).fill(work)
  );
  const each = pieces.flat();
  const views = each.length > 1 ? overallProgress(view, each) : [view];
  for (const [i, one] of [...works.keys()].entries()) {
    if (interrupt.requested) break;
    const at = pieces.slice(0, i).flat().length, own = views.slice(at, at + pieces[i]!.length);
    try {
      const data = works.size === 1 ? ready! : await read(one);
      const found = await learn(one, data, { options, start, device, interrupt, views: own });
      rows.push(...found.rows);
      epochs.push(...found.epochs);
      Object.assign(answers, found.answers);
    } catch (error) {
      refuse(one, error);
    }
    if (out !== undefined && rows.length > 0) {
      await saveResults(out, { subtitle, rows, epochs, faults });
    }
  }
  if (json) { for (const row of all ? boardRows(rows) : []) console.log(JSON.stringify(row)); }
  else if (rows.length > 0) { for (const line of resultLines(rows)) console.log(line); }
  if (out !== undefined && rows.length > 0) view.note(`see ${join(out, "report.html")}`);
  const has = Object.keys(answers).length;
  if (all && out !== undefined && has > 0 && !interrupt.requested) {
    const path = join(out, "submit.zip");
    await writeWhole(path, zipOf(answers));
    const { faults } = await checkSubmissions(path, own, data!);
    if (faults.length > 0) throw new RangeError(`Wrong answers in ${path}: ${faults.join("; ")}`);
    view.note(`${has} files to hand in are in ${path}`);
  }
  if (failed.length === 0) return 0;
  const rest = rows.length > 0 ? "; the results of all others stand" : "";
  throw new InputError(`Cannot learn ${failed.join(", ")}, as said above${rest}`);
}

if (import.meta.main) await runMain(main);
