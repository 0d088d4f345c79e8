/**
 * Rows of numbers that a run leaves behind, one JSON object a line: `metrics.jsonl`, `eval.jsonl`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";

/** What was measured at a step. JSON has no NaN and no infinity: they are written as null. */
export interface Row {
  readonly step: number;
  readonly [name: string]: number | string | null;
}

/** A file that rows are appended to. Each is in the file when `append` returns. */
export interface RowFile extends Disposable {
  append(row: Row): void;
}

function parseRow(line: string, where: string): Row {
  try {
    const row = JSON.parse(line);
    if (typeof row?.step === "number") return row;
  } catch { /* said below */ }
  throw new InputError(`Cannot read ${where}: it is no JSON object with a step; remove the line`);
}

/**
 * The rows of a file; none where there is no file. A last line without an end is left out: a process died writing it.
 *
 * @throws InputError at a line that is no row.
 */
export async function readRows(path: string): Promise<readonly Row[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, i) => parseRow(line, `${path}, line ${i + 1}`));
}

/**
 * Opens a file to append rows. A run that goes on after step `resumedAt` drops the rows of later steps, which it will write again:
 * in the end the file holds what it would hold had the run never stopped.
 *
 * @throws InputError where the file to go on with is broken.
 */
export async function openRows(path: string, resumedAt = 0): Promise<RowFile> {
  const kept = (await readRows(path)).filter(({ step }) => step <= resumedAt);
  const encoder = new TextEncoder();
  const lineOf = (row: Row): string => JSON.stringify(row) + "\n";
  const part = `${path}.part`;
  await Deno.writeTextFile(part, kept.map(lineOf).join(""));
  await Deno.rename(part, path);
  const file = await Deno.open(path, { append: true });
  return {
    append(row) {
      const bytes = encoder.encode(lineOf(row));
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    },
    [Symbol.dispose]: () => file.close(),
  };
}
