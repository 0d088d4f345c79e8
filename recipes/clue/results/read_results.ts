/**
 * Reads results that earlier calls have left, to show them together.
 *
 * @module
 */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../../cli/input_error.ts";
import { reasonOf } from "../../cli/reason.ts";
import { isRecord } from "../../cli/schema.ts";
import { tasks } from "../tasks.ts";
import type { EpochRow, ResultRow } from "./result_row.ts";

/** Results of several calls. */
export interface FoundResults {
  readonly rows: readonly ResultRow[];
  readonly epochs: readonly EpochRow[];
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** What is wrong with a row; undefined where nothing is. */
function faultOf(row: Readonly<Record<string, unknown>>, epochs: boolean): string | undefined {
  const { task, split, metric, value, n, seed, epoch } = row;
  if (typeof task !== "string" || !Object.hasOwn(tasks, task)) return '"task" is no task';
  if (split !== "dev" && split !== "test" && (epochs || split !== "folds")) {
    return `"split" is none of "dev", "test"${epochs ? "" : ', "folds"'}`;
  }
  if (typeof metric !== "string" || metric === "") return '"metric" is no name';
  if (typeof value !== "number" || !(value >= 0 && value <= 100)) return '"value" is no percentage';
  if (!isCount(n) || !isCount(seed)) return '"n" or "seed" is no whole number';
  return epochs && !isCount(epoch) ? '"epoch" is no whole number' : undefined;
}

/** Rows of a file, each with its place. */
async function rowsIn(
  path: string,
  epochs: boolean,
): Promise<readonly (readonly [row: EpochRow, place: string])[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new InputError(
      `Cannot read ${path}: ${reasonOf(error)}; pass a folder that clue --out has filled`,
    );
  }
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const place = `${path}, line ${i + 1}`;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch { /* said below */ }
    const why = isRecord(row) ? faultOf(row, epochs) : "it is no JSON object";
    if (why !== undefined) throw new InputError(`Cannot read ${place}: ${why}; remove the line`);
    return [[row as EpochRow, place] as const];
  });
}

/**
 * Results in folders that `--out` has filled.
 *
 * @throws InputError at a line that is none, where a seed is there twice, and where a split is not the same everywhere.
 */
export async function readResults(folders: readonly string[]): Promise<FoundResults> {
  const rows: ResultRow[] = [], epochs: EpochRow[] = [];
  const places = new Map<string, string>();
  const sizes = new Map<string, { readonly n: number; readonly place: string }>();
  for (const folder of folders) {
    for (const [row, place] of await rowsIn(join(folder, "results.jsonl"), false)) {
      const { task, split, metric, n, seed } = row;
      const own = `${task} ${split} ${metric}, seed ${seed}`, before = places.get(own);
      if (before !== undefined) {
        throw new InputError(
          `Cannot join ${place}: ${own}, stands in ${before} too; leave one out`,
        );
      }
      places.set(own, place);
      const size = sizes.get(`${task} ${split}`);
      if (size && size.n !== n) {
        throw new InputError(
          `Cannot join ${place}: ${task} ${split} has ${n} examples, and ${size.n} in ${size.place}: these are two splits`,
        );
      }
      sizes.set(`${task} ${split}`, { n, place });
      rows.push(row);
    }
    const beside = join(folder, "epochs.jsonl");
    if (await exists(beside)) epochs.push(...(await rowsIn(beside, true)).map(([row]) => row));
  }
  // In the order in which tasks are always shown.
  const order = Object.keys(tasks);
  const inOrder = <R extends ResultRow>(all: readonly R[]): readonly R[] =>
    all.toSorted((a, b) => order.indexOf(a.task) - order.indexOf(b.task));
  return { rows: inOrder(rows), epochs: inOrder(epochs) };
}
