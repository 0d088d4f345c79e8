/**
 * The rate and the batch that are the best on the dev split, found by trying all that are asked for.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../../cli/input_error.ts";
import type { ProgressView } from "../../cli/progress.ts";
import { isRecord } from "../../cli/schema.ts";
import { writeWhole } from "../../run/write_whole.ts";
import type { ClueOptions } from "../options.ts";
import { mainScore } from "../scores.ts";
import type { Scores, Task } from "../task.ts";
import { bestEpoch, type LearnData, type LearnOptions } from "./best_epoch.ts";
import { numbersOf } from "./options.ts";

/** A setting to be tried. */
export interface Cell {
  readonly rate: number;
  readonly batch: number;
}

/** What became of it. */
export interface TriedCell extends Cell {
  readonly task: string;
  readonly seed: number;
  /** Examples of the dev split. */
  readonly n: number;
  readonly epoch: number;
  /** On the dev split. */
  readonly scores: Scores;
}

/** All settings, rate by rate; one where nothing else is asked for. */
export function cellsOf(
  { defaults }: Pick<Task, "defaults">,
  options: ClueOptions,
): readonly Cell[] {
  const rates = numbersOf("rates", options.rates) ?? [options.rate ?? defaults.rate];
  const batches = numbersOf("batches", options.batches) ?? [options.batch ?? defaults.batch];
  return rates.flatMap((rate) => batches.map((batch) => ({ rate, batch })));
}

/** To be raised with every change after which the same cell has another result. */
const VERSION = 1;

/** Results of cells in a folder, by names that say all that they depend on. */
export interface CellFolder {
  readonly path: string;
  /** What the results depend on beside a cell's configuration. */
  readonly about: readonly unknown[];
}

async function found(path: string): Promise<TriedCell | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const cell: unknown = JSON.parse(text);
    if (isRecord(cell) && isRecord(cell.scores)) return cell as unknown as TriedCell;
  } catch { /* said below */ }
  throw new InputError(`Cannot use ${path}: it holds no result of a grid; delete it`);
}

/**
 * Tries every cell with the seed of the configuration; gives the one of the greatest score on the dev split, of equals the first. Undefined
 * where it was interrupted. Cells in the folder are not learnt again.
 */
export async function bestCell(
  options: Omit<LearnOptions, "label" | "view" | "keep">,
  data: LearnData,
  cells: readonly Cell[],
  { views, folder, tell }: {
    /** One for each cell. */
    readonly views: readonly ProgressView[];
    readonly folder?: CellFolder;
    readonly tell: (cell: TriedCell) => void;
  },
): Promise<Cell | undefined> {
  const { task: { name }, interrupt } = options, { dev } = data;
  let best: TriedCell | undefined;
  for (const [i, cell] of cells.entries()) {
    const config = { ...options.config, ...cell };
    const key = createHash("sha256").update(
      JSON.stringify([VERSION, name, config, folder?.about]),
    ).digest("hex").slice(0, 24);
    const path = folder && join(folder.path, `${name}-${key}.json`);
    let tried = path === undefined ? undefined : await found(path);
    if (!tried) {
      const label = `${name}, rate ${cell.rate}, batch ${cell.batch}`;
      const learnt = await bestEpoch({ ...options, view: views[i]!, config, label }, {
        ...data,
        tests: [],
      });
      if (!learnt || interrupt.requested) return undefined;
      const { epoch, dev: scores } = learnt;
      tried = { task: name, ...cell, seed: config.seed, n: dev.count, epoch, scores };
      if (path !== undefined) {
        await ensureDir(folder!.path);
        await writeWhole(path, JSON.stringify(tried, null, 1) + "\n");
      }
    }
    tell(tried);
    if (!best || mainScore(tried.scores) > mainScore(best.scores)) best = tried;
  }
  return best && { rate: best.rate, batch: best.batch };
}
