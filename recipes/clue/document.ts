/**
 * Files that are one JSON document, where others hold a line an example.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { readText } from "../data/read_text.ts";
import type { Fail } from "./fields.ts";

/** How records stand in a document. */
export interface DocumentForm {
  /** The records in a document, each with where it stands. */
  readonly records: (
    document: unknown,
    fail: Fail,
  ) => readonly (readonly [place: string, record: unknown])[];
  /** What stands before and after records, with commas between them, in a document that is written. */
  readonly around: readonly [before: string, after: string];
}

/**
 * The records of a file, each as JSON and with where it stands.
 *
 * @throws InputError where the file is no such document.
 */
export async function readRecords(
  path: string,
  { records }: DocumentForm,
  task: string,
): Promise<readonly (readonly [place: string, record: string])[]> {
  let text = "";
  for await (const piece of readText(path)) text += piece;
  const fail = (why: string): never => {
    throw new InputError(`Cannot read ${path}: ${why}; is it a file of ${task}?`);
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    fail(`it is no JSON document (${(error as Error).message.replaceAll("\n", " ")})`);
  }
  return records(document, fail).map(([place, record]) => [place, JSON.stringify(record)]);
}

/** A document of records. */
export const documentOf = (
  { around: [before, after] }: DocumentForm,
  records: readonly string[],
): string => `${before}\n${records.join(",\n")}\n${after}\n`;
