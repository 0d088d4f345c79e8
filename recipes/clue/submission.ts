/**
 * What a submission is called, and what is wrong with one: a benchmark's server names no fault, it gives 0.
 *
 * Source: https://github.com/CLUEbenchmark/CLUE, its text on submissions: labels are compared line by line in the order of the test, ids are
 * not looked at.
 *
 * @module
 */
import type { Fields } from "./fields.ts";
import { isRecord } from "../cli/schema.ts";

/** What answers to a task's tests are called, where that is not the task's name. */
export interface Submits {
  /** For all tests but the following. */
  readonly as?: string;
  /** By the test's file: CLUE 1.0 and 1.1 have tests of their own. `test.json` beside `test1.0.json` is that of 1.1. */
  readonly files?: Readonly<Record<string, string>>;
  /** In folders of FewCLUE. */
  readonly few?: string;
}

/** Answers to these are known: they are judged here and handed in nowhere. */
const PUBLIC = "test_public.json";

/** Does a folder with such a file come from FewCLUE? */
export const isFew = (file: string): boolean =>
  /^((train|dev)_(\d|few_all)|test_public)\.json$/.test(file);

/** The file of the answers to a test; undefined where nobody asks for them. */
export function submissionOf(
  name: string,
  { as = name, files = {}, few: fewName }: Submits,
  test: string,
  few: boolean,
): string | undefined {
  if (test === PUBLIC) return undefined;
  return `${few && fewName !== undefined ? fewName : files[test] ?? as}_predict.json`;
}

/** An example that must be answered. */
export interface Expected {
  readonly id: number | string;
  /** What is wrong with a line that answers it, its id aside. */
  readonly fault: (object: Fields) => string | undefined;
}

/** The line as an object, or why it is none. */
function lineObject(line: string): Fields | string {
  if (line.trim() === "") return "it is empty";
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : "it is no object";
  } catch {
    return "it is no JSON";
  }
}

/** Stretches of examples that are not answered, one text for each. */
function missing(
  expected: readonly Expected[],
  seen: ReadonlyMap<number | string, number>,
): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < expected.length; i++) {
    const from = i;
    while (i < expected.length && !seen.has(expected[i]!.id)) i++;
    const [first, last] = [expected[from]!.id, expected[i - 1]?.id];
    if (i === from + 1) found.push(`id ${first} has no line`);
    if (i > from + 1) found.push(`ids ${first} to ${last} (${i - from}) have no line`);
  }
  return found;
}

/** All that is wrong with the text of a submission. */
export function submissionFaults(
  text: string,
  expected: readonly Expected[],
): readonly string[] {
  const places = new Map(expected.map(({ id }, place) => [id, place]));
  const seen = new Map<number | string, number>(), faults: string[] = [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let last = -1;
  for (const [i, line] of lines.entries()) {
    const fault = (why: string): void => void faults.push(`line ${i + 1}: ${why}`);
    const object = lineObject(line);
    if (typeof object === "string") {
      fault(object);
      continue;
    }
    const id = object.id as number | string, place = places.get(id);
    if (id === undefined) fault('it has no "id"');
    else if (place === undefined) {
      const number = typeof id === "string" && places.has(Number(id));
      const why = number ? `it must be the number ${id}` : "the test has no such id";
      fault(`id is ${JSON.stringify(id)}, ${why}`);
    } else {
      if (seen.has(id)) fault(`id ${id} is answered in line ${seen.get(id)} already`);
      else if (place < last) {
        const before = expected[last]!.id;
        fault(`id ${id} comes after id ${before}: the order must be the test's`);
      }
      seen.set(id, seen.get(id) ?? i + 1);
      last = Math.max(last, place);
    }
    const wrong = expected[place ?? 0]?.fault(object);
    if (wrong !== undefined) fault(wrong);
  }
  return [...faults, ...missing(expected, seen)];
}
