/**
 * BUSTM: do two short requests to a voice assistant (XiaoBu) mean the same?
 *
 * Source: Xu et al. 2021 (arXiv 2107.07498); files of https://github.com/CLUEbenchmark/FewCLUE, or tab-separated.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { pairColumns } from "../tab_separated.ts";

/** The task. */
export const bustm = classTask({
  name: "bustm",
  about: "same request or not (a voice assistant)",
  labels: ["0", "1"],
  defaults: defaults.bustm,
  columns: pairColumns,
  submits: { few: "bustm" },
  read: (object, fail) => ({
    texts: [field(object, "sentence1", fail), field(object, "sentence2", fail)],
  }),
});
