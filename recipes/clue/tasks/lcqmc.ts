/**
 * LCQMC: do two questions from Baidu's question site mean the same?
 *
 * Source: Liu et al. 2018 (aclanthology.org/C18-1166); tab-separated files, with a header or without.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { pairColumns } from "../tab_separated.ts";

/** The task. */
export const lcqmc = classTask({
  name: "lcqmc",
  about: "same question or not (Baidu Knows)",
  labels: ["0", "1"],
  defaults: defaults.lcqmc,
  columns: pairColumns,
  read: (object, fail) => ({
    texts: [field(object, "sentence1", fail), field(object, "sentence2", fail)],
  }),
});
