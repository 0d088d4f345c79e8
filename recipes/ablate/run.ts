/**
 * Trains what is not trained yet, as far as the time goes.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";
import { stagesOf, totalSteps } from "../pretrain/stages.ts";
import type { AblateData } from "./ablate_data.ts";
import { cellKey, cellStore } from "./cell_store.ts";
import type { Done } from "./outcome.ts";
import type { Cell } from "./plan.ts";
import { trainCell } from "./train_cell.ts";

/** What the loop needs. */
export interface RunOptions {
  readonly cells: readonly Cell[];
  readonly data: AblateData;
  readonly device: Device;
  /** Results are kept in its folder `cells`. */
  readonly out: string;
  /** Milliseconds of `performance.now()` after which nothing is trained. */
  readonly until?: number;
  readonly interrupt: Interrupt;
  readonly view: ProgressView;
  /** Called with every cell that is done, trained now or before. */
  readonly emit: (done: Done, trained: boolean) => void;
}

/** How far the loop came. */
export interface Ran {
  readonly done: readonly Done[];
  /** Cells that were trained now, not found. */
  readonly trained: number;
  /** Cells that are left. */
  readonly left: number;
}

/** Tokens that a cell learns from, with repetitions: what its time grows with. */
function tokensOf({ config }: Cell): number {
  return stagesOf(config).reduce(
    (sum, { config: { steps, data } }) => sum + steps * data.batch * data.length,
    0,
  );
}

/** How long a cell takes, by the pace of those that were trained in this call; 0 before the first. Units: seconds. */
function foreseen(cell: Cell, trained: readonly Done[]): number {
  const tokens = trained.reduce((sum, { cell }) => sum + tokensOf(cell), 0);
  const seconds = trained.reduce((sum, { result }) => sum + result.seconds, 0);
  return tokens === 0 ? 0 : tokensOf(cell) * seconds / tokens;
}

/**
 * Goes through the cells in order. Results are kept as they come: a loop that was stopped and called again ends as one that never was.
 * Where the time left does not do for a cell, by the pace so far, the next ones are looked at: some are shorter, some are done.
 *
 * @throws InputError where `out` cannot be written.
 */
export async function runCells(o: RunOptions): Promise<Ran> {
  const { cells, data, device, view, interrupt, until = Infinity } = o;
  const folder = join(o.out, "cells");
  await ensureDir(folder).catch((error) => {
    throw new InputError(`Cannot write in ${o.out}: ${error.message}; pass another --out`);
  });
  const store = cellStore(folder), done: Done[] = [], trained: Done[] = [];
  const stepsOf = ({ config }: Cell): number => totalSteps(config);
  const total = cells.reduce((sum, cell) => sum + stepsOf(cell), 0);
  let before = 0;
  for (const cell of cells) {
    const key = await cellKey(cell, data.key), known = await store.read(key);
    const isLate = (): boolean => {
      const left = until - performance.now();
      return left <= 0 || left < 1000 * foreseen(cell, trained);
    };
    const own = stepsOf(cell), label = `${cell.ablation} ${cell.variant.name} seed ${cell.seed}`;
    if (known) {
      done.push({ cell, result: known });
      o.emit({ cell, result: known }, false);
    } else if (!interrupt.requested && !isLate()) {
      const result = await trainCell(cell, data, device, {
        step: (step) =>
          view.show({ label: "ablate", done: before + step, total, figures: [label] }),
        stop: () => interrupt.requested || performance.now() >= until,
      });
      if (result) {
        await store.write(key, cell, result);
        trained.push({ cell, result });
        done.push({ cell, result });
        o.emit({ cell, result }, true);
      }
    }
    before += own;
  }
  return { done, trained: trained.length, left: cells.length - done.length };
}
