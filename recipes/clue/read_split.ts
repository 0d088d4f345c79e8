/**
 * Reads the files of a task.
 *
 * @module
 */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { readText } from "../data/read_text.ts";
import { readRecords } from "./document.ts";
import { type Fields, jsonObject } from "./fields.ts";
import { pairedFiles } from "./paired_files.ts";
import type { AnswerId } from "./submission.ts";
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
  for (const path of names.map((name) => join(folder, name))) {
    const all = await Promise.all(pairedFiles(path).map((one) => exists(one)));
    if (all.includes(true)) found.push(path);
  }
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
const places = (all: readonly string[]): string =>
  `${all[0]}${all.length > 1 ? ` and ${all.length - 1} more` : ""}`;

/** What reading needs to know of a task. */
type Reading<E> = Pick<
  TaskParts<E, never>,
  "name" | "parse" | "id" | "labelled" | "columns" | "dropped" | "document" | "answersOf"
>;

/** Lines, or records of a document, each with where it stands. */
async function* piecesOf(
  path: string,
  { document, name }: Pick<Reading<never>, "document" | "name">,
): AsyncGenerator<readonly [place: string, text: string], void, unknown> {
  if (document) yield* await readRecords(path, document, name);
  else {
    let at = 0;
    for await (const line of linesOf(path)) {
      const own = line.endsWith("\r") ? line.slice(0, -1) : line;
      at++;
      if (own.trim() !== "") yield [`line ${at}`, own];
    }
  }
}

/** The file of answers beside a file; undefined where it has none. */
export async function answersBeside(
  path: string,
  { answersOf }: Pick<Reading<never>, "answersOf">,
): Promise<string | undefined> {
  const beside = answersOf?.(path);
  return beside !== undefined && await exists(beside) ? beside : undefined;
}

/** Answers in a file beside another. */
async function answersIn(path: string, task: string): Promise<Fields> {
  let text = "";
  for await (const piece of readText(path)) text += piece;
  return jsonObject(text, (why) => {
    throw new InputError(`Cannot read ${path}: ${why}; is it a file of answers to ${task}?`);
  });
}

/**
 * The examples of a file, or of files that belong together.
 *
 * @throws InputError at the first line that is wrong, and where there is no example.
 */
export async function readExamples<E>(
  path: string,
  task: Reading<E>,
  labelled: boolean,
): Promise<FileExamples<E>> {
  const files = pairedFiles(path);
  if (files.length > 1) {
    const all: FileExamples<E>[] = [];
    for (const file of files) all.push(await readExamples(file, task, labelled));
    return {
      examples: all.flatMap(({ examples }) => examples),
      notes: all.flatMap(({ notes }) => notes),
    };
  }
  const examples: (readonly [E, string])[] = [], ids = new Map<AnswerId, string>();
  const dropped: string[] = [], odd: string[] = [];
  const beside = await answersBeside(path, task);
  const answers = beside === undefined ? undefined : await answersIn(beside, task.name);
  if (isTabSeparated(path) && !task.columns) {
    throw new InputError(`Cannot read ${path}: files of ${task.name} are lines of JSON`);
  }
  const untab = isTabSeparated(path) ? tabReader(task.columns!) : undefined;
  for await (const [place, own] of piecesOf(path, task)) {
    const fail = (why: string): never => {
      throw new InputError(
        `Cannot read ${path}: ${place}: ${why}; is it a file of ${task.name}?`,
      );
    };
    if (!task.document && LINE_ENDS.test(own)) odd.push(place);
    const line = untab ? untab(own, fail) : own;
    if (line === undefined) continue;
    const example = task.parse(line, fail, examples.length + dropped.length, answers);
    if (example === undefined) {
      dropped.push(place);
      continue;
    }
    const known = task.labelled(example);
    if (labelled && !known) {
      const wanted = task.answersOf && !answers ? `, and ${task.answersOf(path)} is not there` : "";
      fail(`it has no label${wanted}`);
    }
    if (examples.length > 0 && known !== task.labelled(examples[0]![0])) {
      fail(
        `it has ${known ? "a" : "no"} label, unlike ${
          task.document ? "the first record" : "the first line"
        }`,
      );
    }
    for (const id of [task.id(example)].flat()) {
      const before = ids.get(id);
      if (before !== undefined) {
        fail(before === place ? `id ${id} is there twice` : `id ${id} is that of ${before}`);
      }
      ids.set(id, place);
    }
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
