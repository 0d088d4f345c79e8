/**
 * ChnSentiCorp: does a review of a hotel, a book or a computer praise it (1) or not (0)?
 *
 * Source: Tan & Zhang 2008 (doi 10.1016/j.eswa.2007.05.028); tab-separated files with a header, as UER-py and PaddleNLP hand it on.
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";
import { ngrams } from "../heads/ngrams.ts";

/** The task. */
export const chnsenticorp = classTask({
  name: "chnsenticorp",
  about: "praise or blame (reviews)",
  labels: ["0", "1"],
  defaults: defaults.chnsenticorp,
  reading: ngrams,
  columns: {
    bare: [["label", "text_a"]],
    header: { id: "id", qid: "id", label: "label", text_a: "text_a" },
  },
  read: (object, fail) => ({ texts: [field(object, "text_a", fail)] }),
});
