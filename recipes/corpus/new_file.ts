/**
 * A file that a step is to leave.
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { dirname } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";

/**
 * Refuses a file that cannot be made, before the work is done that would fill it; makes its folder.
 *
 * @throws InputError where it is there, or its folder cannot be made.
 */
export async function newFile(path: string): Promise<void> {
  if (await exists(path)) {
    throw new InputError(`Cannot write ${path}: it is there; give another --out`);
  }
  try {
    await ensureDir(dirname(path));
  } catch (error) {
    throw new InputError(`Cannot write ${path}: ${reasonOf(error)}; give another --out`);
  }
}
