/**
 * OCNLI: does the first sentence imply the second, contradict it, or neither? Written in Chinese.
 *
 * Source: Hu et al. 2020 (arXiv 2010.05444); files of https://github.com/CLUEbenchmark/OCNLI, of CLUE and FewCLUE.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { NLI_LABELS, NO_AGREEMENT } from "../nli.ts";

/** The task. Premises have several hypotheses, and stand whole in one split. */
export const ocnli = classTask({
  name: "ocnli",
  about: "implied, contradicted or neither",
  labels: NLI_LABELS,
  unsure: NO_AGREEMENT,
  defaults: defaults.ocnli,
  files: { train: ["train.50k.json", "train.30k.json", "train.10k.json", "train.3k.json"] },
  folders: ["ocnli_50k"],
  submits: { as: "ocnli_50k", few: "ocnlif" },
  read: (object, fail) => ({
    texts: [field(object, "sentence1", fail), field(object, "sentence2", fail)],
  }),
});
