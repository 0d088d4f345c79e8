/**
 * Rows kept in a file, one JSON object a line.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { isRecord } from "../cli/schema.ts";
import type { Row } from "./row.ts";

/** Writes rows as a baseline. */
export async function saveBaseline(file: string, rows: readonly Row[]): Promise<void> {
  try {
    await Deno.writeTextFile(file, rows.map((row) => JSON.stringify(row) + "\n").join(""));
  } catch (error) {
    throw new InputError(`Cannot write ${file}: ${(error as Error).message}; pass --save FILE`);
  }
}

/**
 * The rows of a baseline.
 *
 * @throws InputError if the file is missing or holds something else.
 */
export async function readBaseline(file: string): Promise<readonly Row[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new InputError(
      `Cannot read ${file}: ${(error as Error).message}; make one with --save FILE`,
    );
  }
  return text.trim().split("\n").map((line, i) => {
    const row = parsed(line);
    if (isRow(row)) return row;
    throw new InputError(
      `Cannot read ${file}: line ${i + 1} is no row of a baseline; make one with --save FILE`,
    );
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isRow(x: unknown): x is Row {
  if (!isRecord(x)) return false;
  const texts = [x.name, x.device, x.size, x.unit].every((field) => typeof field === "string");
  return texts && [x.ours, x.spread].every((field) => field === null || typeof field === "number");
}
