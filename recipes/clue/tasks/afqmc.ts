/**
 * AFQMC: do two questions to a bank's service (Ant Financial) ask the same?
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); files of https://github.com/CLUEbenchmark/CLUE, or tab-separated.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { pairColumns } from "../tab_separated.ts";

/** The task. Two thirds of the pairs differ: accuracy begins at 69. */
export const afqmc = classTask({
  name: "afqmc",
  about: "same question or not (Ant Financial)",
  labels: ["0", "1"],
  defaults: defaults.afqmc,
  columns: pairColumns,
  read: (object, fail) => ({
    texts: [field(object, "sentence1", fail), field(object, "sentence2", fail)],
  }),
});
