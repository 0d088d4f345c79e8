/**
 * CSL: are all the given keywords those of a paper's abstract (1), or are some made up (0)?
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); files of https://github.com/CLUEbenchmark/CLUE and FewCLUE. The keywords come first, joined by
 * spaces, as in CLUE's baselines.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field, textOf } from "../fields.ts";

/** The task. */
export const csl = classTask({
  name: "csl",
  about: "keywords of an abstract or made up",
  labels: ["0", "1"],
  defaults: defaults.csl,
  submits: { few: "cslf" },
  read(object, fail) {
    const list = object.keyword;
    if (!Array.isArray(list) || list.length === 0) return fail('"keyword" is no list of keywords');
    const keywords = list.map((word, i) => textOf(word, `keyword ${i + 1}`, fail));
    const abstract = field(object, "abst", fail);
    return { texts: [keywords.join(" "), abstract], group: abstract };
  },
});
