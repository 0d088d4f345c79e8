/**
 * What a grid chooses for a task, told line by line.
 *
 * @module
 */
import { join } from "@std/path";
import type { ProgressView } from "../../cli/progress.ts";
import { contentHash } from "../../ablate/cell_store.ts";
import type { ClueOptions } from "../options.ts";
import type { TaskData, TaskOptions } from "../run_task.ts";
import { scoreText } from "../scores.ts";
import { bestCell, type Cell, type CellFolder, cellsOf, type TriedCell } from "./grid.ts";
import { taskConfig } from "./settings.ts";

/** A cell as what is printed: a line, or an object for every metric. */
function cellLines(
  { scores, rate, batch, ...rest }: TriedCell,
  json: boolean,
): readonly string[] {
  return json
    ? Object.entries(scores).map(([metric, value]) =>
      JSON.stringify({ ...rest, split: "dev", grid: { rate, batch }, metric, value })
    )
    : [
      `${rest.task} grid, rate ${rate}, batch ${batch}: dev ${
        scoreText(scores)
      } in epoch ${rest.epoch}`,
    ];
}

/** What results of cells depend on beside their configuration: files, the model's and the task's, and the device. */
async function folderOf(
  { folder, length, device }: Pick<TaskOptions, "folder" | "length" | "device">,
  { out, model, scratch }: ClueOptions,
): Promise<CellFolder | undefined> {
  if (out === undefined) return undefined;
  const about = [await contentHash(folder), await contentHash(model!), scratch];
  return { path: join(out, "grid"), about: [...about, length, device.kind] };
}

/** The cell to learn with; undefined where a grid was interrupted. One cell alone is not tried. */
export async function chosenCell(
  { views, ...own }: Omit<TaskOptions, "config" | "view"> & {
    readonly views: readonly ProgressView[];
  },
  data: TaskData,
  options: ClueOptions,
): Promise<Cell | undefined> {
  const { task } = own, [view] = views as [ProgressView], cells = cellsOf(task, options);
  if (cells.length < 2) return cells[0];
  const config = taskConfig(task, options, options.seed), folder = await folderOf(own, options);
  const best = await bestCell({ ...own, config }, data, cells, {
    views,
    ...folder && { folder },
    tell(cell) {
      for (const line of cellLines(cell, options.json)) console.log(line);
    },
  });
  if (best) view.note(`${task.name}: rate ${best.rate} and batch ${best.batch} are learnt with`);
  return best;
}
