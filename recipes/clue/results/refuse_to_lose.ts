/**
 * Results of earlier calls that another one would write over.
 *
 * @module
 */
import { exists } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../../cli/input_error.ts";
import { readResults } from "./read_results.ts";
import type { ResultRow } from "./result_row.ts";

/** A task and a seed: what results are of. */
export type Learnt = Pick<ResultRow, "task" | "seed">;

/**
 * Refuses to fill a folder that has results of tasks or seeds which the same call will not have again.
 *
 * @throws InputError
 */
export async function refuseToLose(out: string, coming: readonly Learnt[]): Promise<void> {
  if (!await exists(join(out, "results.jsonl"))) return;
  const nameOf = ({ task, seed }: Learnt): string => `${task}, seed ${seed}`;
  const names = new Set(coming.map(nameOf));
  const lost = (await readResults([out])).rows.map(nameOf).find((name) => !names.has(name));
  if (lost === undefined) return;
  throw new InputError(
    `Cannot leave results in ${out}: those of ${lost}, are there and would be lost; pass another --out, clue --results shows them together`,
  );
}
