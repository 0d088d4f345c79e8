/**
 * `deno task clue`: from a checkpoint to scores.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { openDevice } from "../../core/device/open.ts";
import { InputError } from "../cli/input_error.ts";
import { type Interrupt, runMain } from "../cli/main.ts";
import { helpText } from "../cli/options.ts";
import { progressView } from "../cli/progress.ts";
import { writeWhole } from "../run/write_whole.ts";
import { clueCommand, clueOptions } from "./options.ts";
import { type Result, runTask, scoreText, taskData } from "./run_task.ts";
import { spreadLines } from "./spread.ts";
import type { Task } from "./task.ts";
import { startOf } from "./task_model.ts";
import { tasks } from "./tasks.ts";

/** Leaves the three parts of a file in a folder. */
async function splitInto(task: Task, file: string, out: string): Promise<void> {
  const parts = await task.split(file);
  for (const [name, lines] of Object.entries(parts)) {
    if (lines.length === 0) {
      throw new InputError(`Cannot split ${file}: nothing would be in ${name}; give more examples`);
    }
  }
  await ensureDir(out);
  for (const [name, lines] of Object.entries(parts)) {
    const path = join(out, task.files[name as keyof typeof parts][0]!);
    await writeWhole(path, lines.join("\n") + "\n");
    console.log(`${lines.length} examples in ${path}`);
  }
}

async function main(interrupt: Interrupt): Promise<number> {
  const options = clueOptions(Deno.args);
  if (options.help) {
    console.log(helpText(clueCommand));
    return 0;
  }
  const task = tasks[options.task!]!, { out, json } = options;
  if (options.split !== undefined) {
    await splitInto(task, options.split, out!);
    return 0;
  }
  using view = progressView();
  const start = await startOf(options.model!, options.scratch), { defaults } = task;
  const length = options.length ?? defaults.length;
  const common = { task, folder: options.data!, start, length };
  const data = await taskData(common), results: Result[] = [];
  const device = await openDevice(options.device);
  view.note(`${task.name}: ${data.train.count} examples to learn from, on ${device.description}`);
  for (let seed = options.seed; seed < options.seed + options.seeds; seed++) {
    if (interrupt.requested) break;
    const config = {
      epochs: options.epochs ?? defaults.epochs,
      batch: options.batch ?? defaults.batch,
      rate: options.rate ?? defaults.rate,
      warmup: 0.1,
      decay: 0.01,
      dropout: options.dropout,
      seed,
    };
    const { results: own, lines } = await runTask(
      { ...common, device, config, interrupt, view },
      data,
    );
    results.push(...own);
    for (const { scores, ...rest } of own) {
      if (!json) {
        console.log(`${task.name} ${rest.split}, seed ${seed}: ${scoreText(scores)}`);
        continue;
      }
      for (const [metric, value] of Object.entries(scores)) {
        console.log(JSON.stringify({ ...rest, metric, value }));
      }
    }
    if (out === undefined || !lines || interrupt.requested) continue;
    await ensureDir(out);
    const path = join(out, `${task.name}_predict${seed === options.seed ? "" : `-${seed}`}.json`);
    await writeWhole(path, lines.join("\n") + "\n");
  }
  if (!json) { for (const line of spreadLines(results)) console.log(line); }
  return 0;
}

if (import.meta.main) await runMain(main);
