/**
 * QBQTC: is a title what a query of QQ Browser asks for? 0 does not fit, 1 fits somewhat, 2 fits.
 *
 * Source: https://github.com/CLUEbenchmark/QBQTC
 *
 * @module
 */
import { field, jsonObject, labelOf } from "../fields.ts";
import { classes } from "../heads/classes.ts";
import { accuracy } from "../metrics/accuracy.ts";
import { answerOf, chooseBiases } from "../metrics/class_biases.ts";
import { macroF1 } from "../metrics/macro_f1.ts";
import { task } from "../task.ts";
import { rowOf } from "../unit.ts";

/** A query and a title. */
interface Pair {
  readonly id: number;
  readonly query: string;
  readonly title: string;
  readonly label?: number;
}

const labels = ["0", "1", "2"];

/** The task. Biases of the classes are chosen on the dev split: macro-F1 asks for more of the rare ones than are probable. */
export const qbqtc = task<Pair, number>({
  name: "qbqtc",
  about: "relevance of titles to queries (QQ Browser)",
  files: { train: ["train.json"], dev: ["dev.json"], test: ["test_public.json", "test.json"] },
  defaults: { length: 64, epochs: 3, batch: 32, rate: 3e-4 },
  head: classes(labels.length),
  parse(line, fail) {
    const object = jsonObject(line, fail), label = labelOf(object.label, labels, fail);
    return {
      id: object.id as number,
      query: field(object, "query", fail),
      title: field(object, "title", fail),
      ...label !== undefined && { label },
    };
  },
  id: ({ id }) => id,
  labelled: ({ label }) => label !== undefined,
  group: ({ query }) => query,
  units: ({ query, title, label }, tokenizer, length) => [{
    rows: [rowOf(tokenizer, length, query, title)],
    target: label === undefined ? [] : [label],
  }],
  tune: (pairs, outputs) => chooseBiases(outputs.map(([one]) => one!), pairs.map((p) => p.label!)),
  decode: (_, [scores], biases) => answerOf(scores!, biases),
  judge(pairs, answers) {
    const right = pairs.map(({ label }) => label!);
    return {
      macro_f1: macroF1(answers, right, labels.length),
      accuracy: accuracy(answers, right),
    };
  },
  line: ({ id }, answer) => JSON.stringify({ id, label: labels[answer] }),
});
