/**
 * IFLYTEK: which of 119 kinds is an app, by its description?
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); files of https://github.com/CLUEbenchmark/CLUE and FewCLUE.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { ngrams } from "../heads/ngrams.ts";

/** The task. */
export const iflytek = classTask({
  name: "iflytek",
  about: "kind of an app, of 119 (descriptions)",
  labels: Array.from({ length: 119 }, (_, k) => String(k)),
  defaults: defaults.iflytek,
  reading: ngrams,
  submits: { few: "iflytekf" },
  read: (object, fail) => ({ texts: [field(object, "sentence", fail)] }),
});
