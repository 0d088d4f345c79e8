/**
 * Where the files of a task are: in a folder of its own, or in one of many.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { splitFiles } from "./read_split.ts";
import type { SplitName, Task } from "./task.ts";

/** A task, and where its files are. */
export interface Placed {
  readonly task: Task;
  readonly folder: string;
}

/** Files of some splits of a task that a folder has. */
const filesIn = (folder: string, { files }: Task, splits: readonly SplitName[]) =>
  splitFiles(folder, splits.flatMap((split) => files[split]));

/** Folders in a folder by the names of tasks that theirs begin with: archives of CLUE are called afqmc_public, say. */
async function foldersIn(data: string): Promise<ReadonlyMap<string, string>> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(data)) if (!isFile) names.push(name);
  } catch (error) {
    throw new InputError(`Cannot read ${data}: ${reasonOf(error)}; pass a folder`);
  }
  const found = new Map<string, string>();
  for (const name of names.sort()) {
    const plain = name.toLowerCase().replace(/([-_ ]?(public|data|1\.[01]))+$/, "");
    if (!found.has(plain)) found.set(plain, join(data, name));
  }
  return found;
}

/** The folder of a task under `data`: the one of its name, or, where it stands `alone`, `data` itself. */
export async function taskFolder(
  data: string,
  task: Task,
  alone: boolean,
): Promise<string | undefined> {
  const folders = await foldersIn(data);
  if (alone && (await filesIn(data, task, ["train", "dev", "test"])).length > 0) return data;
  return [task.name, ...task.folders ?? []].map((name) => folders.get(name))
    .find((folder) => folder !== undefined);
}

/** One task, or all that `data` has folders for; names of those that it has none for, or none to learn from. */
export async function placedTasks(
  tasks: readonly Task[],
  data: string,
): Promise<{ readonly placed: readonly Placed[]; readonly absent: readonly string[] }> {
  if (tasks.length === 1) {
    const [task] = tasks, folder = await taskFolder(data, task!, true);
    return { placed: [{ task: task!, folder: folder ?? data }], absent: [] };
  }
  const placed: Placed[] = [], absent: string[] = [];
  for (const task of tasks) {
    const folder = await taskFolder(data, task, false);
    const has = async (split: SplitName): Promise<boolean> =>
      folder !== undefined && (await filesIn(folder, task, [split])).length > 0;
    if (await has("train") && await has("dev")) placed.push({ task, folder: folder! });
    else absent.push(task.name);
  }
  if (placed.length > 0) return { placed, absent };
  throw new InputError(
    `Cannot learn all tasks from ${data}: no folder in it has the name and the files of one, such as ${
      join(data, tasks[0]!.name, tasks[0]!.files.train[0]!)
    }; clue --download brings the official ones`,
  );
}
