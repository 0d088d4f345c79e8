/**
 * Reads the files of a task.
 *
 * @module
 */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { readText } from "../data/read_text.ts";
import { isTabSeparated, tabReader } from "./tab_separated.ts";
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

/** Those of some files that a folder has, in their order. */
export async function splitFiles(
  folder: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (await exists(join(folder, name))) found.push(join(folder, name));
  return found;
}

/** What is in a file. */
export interface FileExamples<E> {
  /** Each with its line: JSON, whatever the file is. */
  readonly examples: readonly (readonly [example: E, line: string])[];
  /** What a person should know of it. */
  readonly notes: readonly string[];
}

/** Characters that end a line elsewhere; texts of IFLYTEK hold some. */
const LINE_ENDS = /[\u2028\u2029\u0085]/;

/** "line 7", "line 7 and 2 more". */
const places = (lines: readonly number[]): string =>
  `line ${lines[0]}${lines.length > 1 ? ` and ${lines.length - 1} more` : ""}`;

/**
 * The examples of a file.
 *
 * @throws InputError at the first line that is wrong, and where there is no example.
 */
export async function readExamples<E, A>(
  path: string,
  task: Pick<TaskParts<E, A>, "name" | "parse" | "id" | "labelled" | "columns" | "dropped">,
  labelled: boolean,
): Promise<FileExamples<E>> {
  const examples: (readonly [E, string])[] = [], ids = new Map<number | string, number>();
  const dropped: number[] = [], odd: number[] = [];
  if (isTabSeparated(path) && !task.columns) {
    throw new InputError(`Cannot read ${path}: files of ${task.name} are lines of JSON`);
  }
  const untab = isTabSeparated(path) ? tabReader(task.columns!) : undefined;
  let at = 0;
  for await (const raw of linesOf(path)) {
    at++;
    const own = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (own.trim() === "") continue;
    const fail = (why: string): never => {
      throw new InputError(
        `Cannot read ${path}: line ${at}: ${why}; is it a file of ${task.name}?`,
      );
    };
    if (LINE_ENDS.test(own)) odd.push(at);
    const line = untab ? untab(own, fail) : own;
    if (line === undefined) continue;
    const example = task.parse(line, fail, examples.length + dropped.length);
    if (example === undefined) {
      dropped.push(at);
      continue;
    }
    const known = task.labelled(example);
    if (labelled && !known) fail("it has no label");
    if (examples.length > 0 && known !== task.labelled(examples[0]![0])) {
      fail(`it has ${known ? "a" : "no"} label, unlike the first line`);
    }
    const id = task.id(example), before = ids.get(id);
    if (before !== undefined) fail(`id ${id} is that of line ${before}`);
    ids.set(id, at);
    examples.push([example, line]);
  }
  if (examples.length === 0) throw new InputError(`Cannot read ${path}: no example is in it`);
  const left = dropped.length, all = left + examples.length;
  return {
    examples,
    notes: [
      ...left > 0
        ? [`${path}: ${left} of ${all} examples are left out, ${task.dropped} (${places(dropped)})`]
        : [],
      ...odd.length > 0
        ? [
          `${path}: ${places(odd)} holds U+2028 or its like, read as text: "\\n" alone ends a line`,
        ]
        : [],
    ],
  };
}
