/**
 * QBQTC: is a title what a query of QQ Browser asks for? 0 does not fit, 1 fits somewhat, 2 fits.
 *
 * Source: https://github.com/CLUEbenchmark/QBQTC
 *
 * @module
 */
import { classTask } from "../class_task.ts";
import { defaults } from "../defaults.ts";
import { field } from "../fields.ts";

/** The task. Biases of the classes are chosen on the dev split: macro-F1 asks for more of the rare ones than are probable. */
export const qbqtc = classTask({
  name: "qbqtc",
  about: "relevance of titles to queries (QQ Browser)",
  labels: ["0", "1", "2"],
  defaults: defaults.qbqtc,
  metric: "macro_f1",
  read: (object, fail) => ({ texts: [field(object, "query", fail), field(object, "title", fail)] }),
});
