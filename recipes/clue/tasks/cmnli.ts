/**
 * CMNLI: does the first sentence imply the second, contradict it, or neither? Translated from MNLI and XNLI.
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); files of https://github.com/CLUEbenchmark/CLUE.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { NLI_LABELS, NO_AGREEMENT } from "../nli.ts";

/** The task. */
export const cmnli = classTask({
  name: "cmnli",
  about: "implied, contradicted or neither (translated)",
  labels: NLI_LABELS,
  unsure: NO_AGREEMENT,
  defaults: defaults.cmnli,
  read: (object, fail) => ({
    texts: [field(object, "sentence1", fail), field(object, "sentence2", fail)],
  }),
});
