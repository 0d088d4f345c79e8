/**
 * `deno task clue --split`: a train, a dev and a test file from the only labelled part of a data set.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { refuseUnwritable } from "../run/run_folder.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { SplitName, Task } from "./task.ts";

const NAMES: readonly SplitName[] = ["train", "dev", "test"];

/** Leaves the three parts of files in a folder; gives what to tell of them. */
export async function splitInto(
  task: Task,
  files: readonly string[],
  out: string,
): Promise<readonly string[]> {
  const parts = await task.split(...files);
  const empty = NAMES.find((name) => parts[name].length === 0);
  if (empty !== undefined) {
    throw new InputError(
      `Cannot split ${files.join(", ")}: nothing would be in ${empty}; give more examples`,
    );
  }
  await refuseUnwritable(out);
  const told = [...parts.notes];
  for (const name of NAMES) {
    const path = join(out, `${name}.json`);
    await writeWhole(path, task.fileOf(parts[name]));
    told.push(`${parts[name].length} examples in ${path}`);
  }
  return told;
}
