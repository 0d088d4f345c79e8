/**
 * A folder that is there whole or not at all.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { dirname, join, resolve } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";

/** What is in a folder; nothing where it is not there. */
async function firstIn(path: string): Promise<string | undefined> {
  try {
    for await (const { name } of Deno.readDir(path)) return name;
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new InputError(`Cannot write ${path}: it is a file; pass another --to`);
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return undefined;
}

/**
 * Refuses a folder that holds something.
 *
 * @throws InputError
 */
export async function refuseUsed(path: string): Promise<void> {
  const found = await firstIn(path);
  if (found === undefined) return;
  throw new InputError(`Cannot write ${path}: ${found} is in it; pass an empty or new --to`);
}

/**
 * Calls `fill` with a folder beside `path`, and gives that folder its name when it is filled. Nothing is left where that fails.
 *
 * @throws InputError where `path` is used already, or cannot be written.
 */
export async function inNewFolder(
  path: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  await refuseUsed(path);
  // Not makeTempDir, whose folders are for their owner alone.
  const made = join(dirname(resolve(path)), `part-${crypto.randomUUID()}`);
  try {
    await ensureDir(made);
  } catch (error) {
    throw new InputError(`Cannot write ${path}: ${reasonOf(error)}; pass another --to`);
  }
  try {
    await fill(made);
    await Deno.remove(path).catch(() => {}); // an empty folder
    await Deno.rename(made, path);
  } catch (error) {
    await Deno.remove(made, { recursive: true }).catch(() => {});
    throw error;
  }
}
