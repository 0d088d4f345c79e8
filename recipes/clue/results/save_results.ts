/**
 * Leaves results in a folder: `results.jsonl`, `epochs.jsonl` and `report.html`.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { writeWhole } from "../../run/write_whole.ts";
import { resultsHtml, type ResultsReport } from "./results_page.ts";

/** Names of the files, which are no answers to hand in. */
export const RESULT_FILES: readonly string[] = ["results.jsonl", "epochs.jsonl", "report.html"];

const linesOf = (rows: readonly object[]): string =>
  rows.map((row) => JSON.stringify(row) + "\n").join("");

/** Writes the files, each whole; what was there under their names is gone. */
export async function saveResults(out: string, report: ResultsReport): Promise<void> {
  await ensureDir(out);
  const [results, epochs, html] = RESULT_FILES.map((name) => join(out, name));
  await writeWhole(results!, linesOf(report.rows));
  await writeWhole(epochs!, linesOf(report.epochs));
  await writeWhole(html!, resultsHtml(report));
}
