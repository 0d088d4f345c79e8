/**
 * Reads the files of a task.
 *
 * @module
 */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { readText } from "../data/read_text.ts";
import type { TaskParts } from "./task.ts";

/** Lines of a file by "\n" alone: some texts hold other characters that end lines elsewhere. */
async function* linesOf(path: string): AsyncGenerator<string, void, unknown> {
  let rest = "";
  for await (const piece of readText(path)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** The first of some files that a folder has; undefined where it has none. */
export async function splitFile(
  folder: string,
  names: readonly string[],
): Promise<string | undefined> {
  for (const name of names) if (await exists(join(folder, name))) return join(folder, name);
  return undefined;
}

/**
 * The examples of a file, and the line of each.
 *
 * @throws InputError at the first line that is wrong, and where there is no example.
 */
export async function readExamples<E, A>(
  path: string,
  task: Pick<TaskParts<E, A>, "name" | "parse" | "id" | "labelled">,
  labelled: boolean,
): Promise<readonly (readonly [example: E, line: string])[]> {
  const found: (readonly [E, string])[] = [], ids = new Map<number | string, number>();
  let at = 0;
  for await (const line of linesOf(path)) {
    at++;
    const own = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (own.trim() === "") continue;
    const fail = (why: string): never => {
      throw new InputError(
        `Cannot read ${path}: line ${at}: ${why}; is it a file of ${task.name}?`,
      );
    };
    const example = task.parse(own, fail);
    if (example === undefined) continue;
    if (labelled && !task.labelled(example)) fail("it has no label");
    const id = task.id(example), before = ids.get(id);
    if (before !== undefined) fail(`id ${id} is that of line ${before}`);
    ids.set(id, at);
    found.push([example, own]);
  }
  if (found.length === 0) throw new InputError(`Cannot read ${path}: no example is in it`);
  return found;
}
