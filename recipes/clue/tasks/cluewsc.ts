/**
 * CLUEWSC2020: does a pronoun mean a certain noun? Both are marked in the text, the noun by _ and the pronoun by [ and ].
 *
 * Source: Xu et al. 2020 (arXiv 2004.05986); files of https://github.com/CLUEbenchmark/CLUE and FewCLUE.
 *
 * @module
 */
import { defaults } from "../defaults.ts";
import { isRecord } from "../../cli/schema.ts";
import { classTask } from "../class_task.ts";
import { type Fail, field, type Fields } from "../fields.ts";
import { type Mark, markSpans } from "../mark_spans.ts";

/** A span, which must stand where its index says. Units: code points, as Python counts. */
function spanOf(text: string, target: Fields, n: 1 | 2, fail: Fail): Pick<Mark, "start" | "end"> {
  const span = field(target, `span${n}_text`, fail), start = target[`span${n}_index`];
  if (!Number.isSafeInteger(start) || start as number < 0) {
    fail(`"span${n}_index" is ${JSON.stringify(start)}, it must be a whole number`);
  }
  const from = start as number, end = from + [...span].length;
  if ([...text].slice(from, end).join("") !== span) {
    fail(`${JSON.stringify(span)} does not stand at place ${from} of its text`);
  }
  return { start: from, end };
}

/** The task. */
export const cluewsc = classTask({
  name: "cluewsc",
  about: "what a pronoun means",
  labels: ["true", "false"],
  defaults: defaults.cluewsc,
  folders: ["cluewsc2020", "wsc"],
  submits: {
    files: { "test.json": "cluewsc11", "test1.1.json": "cluewsc11", "test1.0.json": "cluewsc10" },
    few: "cluewscf",
  },
  read(object, fail) {
    const { target } = object, text = field(object, "text", fail);
    if (!isRecord(target)) return fail('it has no "target" with two spans');
    const marked = markSpans(text, [
      { ...spanOf(text, target, 1, fail), open: "_", close: "_" },
      { ...spanOf(text, target, 2, fail), open: "[", close: "]" },
    ]);
    return { texts: [marked], group: text };
  },
});
