/**
 * Tasks whose answer is one class for a text or a pair: a task file says what is special in it.
 *
 * @module
 */
import {
  type Fail,
  type Fields,
  idOf,
  jsonObject,
  labelList,
  labelOf,
  refuseOthers,
} from "./fields.ts";
import { classes } from "./heads/classes.ts";
import type { Reading } from "./heads/reading.ts";
import { accuracy } from "./metrics/accuracy.ts";
import { answerOf, chooseBiases } from "./metrics/class_biases.ts";
import { macroF1 } from "./metrics/macro_f1.ts";
import { type SplitName, type Task, task, type TaskParts } from "./task.ts";
import { rowOf } from "./unit.ts";

/** What the model reads of an example. */
export type Texts = readonly [first: string, second?: string];

/** A text or a pair, and its class. */
export interface ClassExample {
  readonly id: number | string;
  readonly texts: Texts;
  readonly label?: number;
  readonly group: string;
}

/** What differs between such tasks. */
export interface ClassParts extends
  Pick<
    TaskParts<ClassExample, number>,
    "name" | "about" | "defaults" | "columns" | "submits" | "folders"
  > {
  /** As files and submissions write them. */
  readonly labels: readonly string[];
  /** Names of files that others do not have, before those that all have. */
  readonly files?: Partial<Readonly<Record<SplitName, readonly string[]>>>;
  /** The texts, checked; the first is what examples share that must not stand in two splits, where no group is given. */
  readonly read: (object: Fields, fail: Fail) => { readonly texts: Texts; readonly group?: string };
  /** A label that says that there is none, and why: such examples are left out. */
  readonly unsure?: readonly [label: string, why: string];
  /** What of a row decides; what stands at [CLS]. */
  readonly reading?: Reading;
  /** Which comes first and decides; for macro-F1, biases of the classes are chosen on the dev split. */
  readonly metric?: "accuracy" | "macro_f1";
  /** What a submission says beside id and label. */
  readonly also?: (label: string, submission: string) => Fields;
}

const few = ["few_all", "0", "1", "2", "3", "4"];

/** Files of CLUE, of FewCLUE, and tab-separated ones. */
const FILES: Readonly<Record<SplitName, readonly string[]>> = {
  train: ["train.json", "train.tsv", "train.txt", ...few.map((n) => `train_${n}.json`)],
  dev: ["dev.json", "dev.tsv", "dev.txt", ...few.map((n) => `dev_${n}.json`)],
  test: [
    ...["test_public.json", "test1.1.json", "test.json", "test1.0.json", "test.tsv", "test.txt"],
  ],
};

/** A task of classes. */
export function classTask(parts: ClassParts): Task {
  const { name, labels, metric = "accuracy", unsure, files: own = {}, read, also } = parts;
  const withOwn = (split: SplitName): readonly string[] => [...own[split] ?? [], ...FILES[split]];
  const made = task<ClassExample, number>({
    ...parts,
    files: { train: withOwn("train"), dev: withOwn("dev"), test: withOwn("test") },
    head: classes(labels.length, parts.reading),
    ...unsure && { dropped: unsure[1] },
    parse(line, fail, place) {
      const object = jsonObject(line, fail);
      refuseOthers(object, name, fail);
      const found = read(object, fail);
      if (unsure && object.label === unsure[0]) return undefined;
      const label = labelOf(object.label, labels, fail);
      return {
        id: idOf(object, fail) ?? place,
        ...label !== undefined && { label },
        texts: found.texts,
        group: found.group ?? found.texts[0],
      };
    },
    id: ({ id }) => id,
    labelled: ({ label }) => label !== undefined,
    group: ({ group }) => group,
    units: ({ texts: [first, second], label }, tokenizer, length) => [{
      rows: [rowOf(tokenizer, length, first, second)],
      target: label === undefined ? [] : [label],
    }],
    ...metric === "macro_f1" && {
      tune: (examples, outputs) =>
        chooseBiases(outputs.map(([one]) => one!), examples.map(({ label }) => label!)),
    },
    decode: (_, [scores], biases) => answerOf(scores!, biases),
    judge(examples, answers) {
      const right = examples.map(({ label }) => label!);
      const scores = {
        accuracy: accuracy(answers, right),
        macro_f1: macroF1(answers, right, labels.length),
      };
      return { [metric]: scores[metric], ...scores };
    },
    line({ id }, answer, submission) {
      const label = labels[answer]!;
      return JSON.stringify({ id, label, ...also?.(label, submission) });
    },
    fault(_, { label }) {
      if (label === undefined) return 'it has no "label"';
      if (typeof label === "string" && labels.includes(label)) return undefined;
      return `label is ${JSON.stringify(label)}, it must be one of ${
        labelList(labels.map((own) => `"${own}"`))
      }`;
    },
  });
  return { ...made, labels };
}
