/**
 * Looks through answers before they are handed in.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { unzipSync } from "npm:fflate@0.8.3";
import { suggestion } from "../cli/nearest.ts";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { RESULT_FILES } from "./results/save_results.ts";
import type { Asked, Task } from "./task.ts";
import { taskFolder } from "./task_folder.ts";

/** A submission's file. */
interface Answers {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What was looked through. */
export interface SubmissionCheck {
  /** Names of the files. */
  readonly files: readonly string[];
  /** All that is wrong with them. */
  readonly faults: readonly string[];
  /** Files that could be handed in too. */
  readonly absent: readonly string[];
}

/** The files of a folder or of a zip, or one file. */
async function answersIn(path: string): Promise<readonly Answers[]> {
  try {
    if ((await Deno.stat(path)).isDirectory) {
      const names: string[] = [];
      for await (const { name, isFile } of Deno.readDir(path)) {
        if (isFile && !/^\.|\.zip$/.test(name) && !RESULT_FILES.includes(name)) names.push(name);
      }
      return await Promise.all(
        names.sort().map(async (name) => ({ name, bytes: await Deno.readFile(join(path, name)) })),
      );
    }
    const bytes = await Deno.readFile(path);
    if (!path.toLowerCase().endsWith(".zip")) return [{ name: basename(path), bytes }];
    return Object.entries(unzipSync(bytes)).map(([name, bytes]) => ({ name, bytes }));
  } catch (error) {
    throw new InputError(
      `Cannot read ${path}: ${reasonOf(error)}; pass a file, a folder or a zip of answers`,
    );
  }
}

/** The text of a file; undefined where it is none. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * All that is wrong with answers: files under names that nobody asks for, and lines that do not answer their test.
 *
 * @throws InputError where there is nothing to look at.
 */
export async function checkSubmissions(
  path: string,
  tasks: readonly Task[],
  data: string,
): Promise<SubmissionCheck> {
  const asked = new Map<string, Asked & { readonly task: Task }>();
  for (const task of tasks) {
    const folder = await taskFolder(data, task, tasks.length === 1);
    if (folder === undefined) continue;
    for (const one of await task.asked(folder)) asked.set(one.submission, { ...one, task });
  }
  const names = [...asked.keys()];
  if (names.length === 0) {
    throw new InputError(`Cannot check ${path}: ${data} has no tests; pass the tasks' files there`);
  }
  const answers = await answersIn(path), faults: string[] = [];
  if (answers.length === 0) throw new InputError(`Cannot check ${path}: no file is in it`);
  for (const { name, bytes } of answers) {
    const test = asked.get(name), text = textOf(bytes);
    const known = `asked for are ${names.join(", ")}`;
    if (!test) {
      faults.push(`${name}: nobody asks for such a file; ${suggestion(name, names, known)}`);
    } else if (text === undefined) faults.push(`${name}: it is not UTF-8`);
    else {
      const own = await test.task.faults(test.path, text, test.submission);
      faults.push(...own.map((fault) => `${name}: ${fault}`));
    }
  }
  const files = answers.map(({ name }) => name);
  return { files, faults, absent: names.filter((name) => !files.includes(name)) };
}
