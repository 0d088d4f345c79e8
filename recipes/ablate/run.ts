/**
 * Trains what is not trained yet, as far as the time goes.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import type { Interrupt } from "../cli/main.ts";
import type { ProgressView } from "../cli/progress.ts";
import type { AblateData } from "./ablate_data.ts";
import { cellKey, type CellResult, cellStore } from "./cell_store.ts";
import { foreseen } from "./foreseen.ts";
import type { Done } from "./outcome.ts";
import { type Cell, stepsOf } from "./plan.ts";
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
  /** How many different cells there are: ablations may share some. */
  readonly total: number;
  /** Those of them that are left. */
  readonly left: number;
  /** What these will take, by the pace so far; 0 where nothing was trained yet. Units: seconds. */
  readonly leftSeconds: number;
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
    throw new InputError(`Cannot write in ${o.out}: ${reasonOf(error)}; pass another --out`);
  });
  const store = cellStore(folder), found = new Map<string, CellResult>();
  const planned: { readonly cell: Cell; readonly key: string }[] = [];
  for (const cell of cells) {
    const key = await cellKey(cell, data.key), known = await store.read(key);
    if (known) found.set(key, known);
    planned.push({ cell, key });
  }
  const before = planned.flatMap(({ cell, key }): Done[] => {
    const result = found.get(key);
    return result && result.device === device.description ? [{ cell, result }] : [];
  });
  const done: Done[] = [], trained: Done[] = [], left = new Map<string, Cell>();
  const secondsOf = (cell: Cell): number => foreseen(cell, trained.length > 0 ? trained : before);
  const isLate = (cell: Cell): boolean => {
    const time = until - performance.now();
    return time <= 0 || time < 1000 * secondsOf(cell);
  };
  const stop = (): boolean => interrupt.requested || performance.now() >= until;
  const total = cells.reduce((sum, cell) => sum + stepsOf(cell), 0);
  let passed = 0;
  for (const { cell, key } of planned) {
    const known = found.get(key);
    const label = `${cell.ablation} ${cell.variant.name} seed ${cell.seed}`;
    const step = (at: number): void =>
      view.show({ label: "ablate", done: passed + at, total, figures: [label] });
    const result = known ??
      (stop() || isLate(cell) ? undefined : await trainCell(cell, data, device, { step, stop }));
    passed += stepsOf(cell);
    if (!result) {
      left.set(key, cell);
      continue;
    }
    done.push({ cell, result });
    if (!known) {
      await store.write(key, cell, result);
      found.set(key, result);
      trained.push({ cell, result });
    }
    o.emit({ cell, result }, !known);
  }
  const leftSeconds = [...left.values()].reduce((sum, cell) => sum + secondsOf(cell), 0);
  return {
    ...{ done, trained: trained.length, left: left.size, leftSeconds },
    total: new Set(planned.map(({ key }) => key)).size,
  };
}
