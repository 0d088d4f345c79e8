/**
 * What a task is: how its files are read, what the model is shown, what its answers mean, and how they are judged. A task is one file in
 * `tasks/`.
 *
 * @module
 */
import type { Tokenizer } from "../text/tokenize.ts";
import type { Head } from "./heads/head.ts";
import { readExamples, splitFile } from "./read_split.ts";
import { splitOf } from "./split.ts";
import type { Unit } from "./unit.ts";

/** The parts of a data set. `test` may have no labels. */
export type SplitName = "train" | "dev" | "test";

/** How long and how fast a task is learnt, where nothing else is asked for. */
export interface TaskDefaults {
  /** Tokens of a row at most. */
  readonly length: number;
  readonly epochs: number;
  /** Units of a step. */
  readonly batch: number;
  readonly rate: number;
}

/** Values of metrics by name. Units: percent. */
export type Scores = Readonly<Record<string, number>>;

/** What a task is made of: E is an example, A an answer. */
export interface TaskParts<E, A> {
  readonly name: string;
  /** In a sentence. */
  readonly about: string;
  /** Files that a split may be in: the first that is there counts. */
  readonly files: Readonly<Record<SplitName, readonly string[]>>;
  readonly defaults: TaskDefaults;
  readonly head: Head;
  /** Examples from the text of a file, or from one line of it; `fail` refuses it. */
  readonly parse: (line: string, fail: (why: string) => never) => E | undefined;
  /** As the submission names an example. */
  readonly id: (example: E) => number | string;
  /** Is its answer known? */
  readonly labelled: (example: E) => boolean;
  /** What examples share that must not stand in two splits. */
  readonly group: (example: E) => string;
  /** What the model reads of it. */
  readonly units: (example: E, tokenizer: Tokenizer, length: number) => readonly Unit[];
  /** The answer in the outputs of its units; `tuned` is what `tune` gave. */
  readonly decode: (example: E, outputs: readonly Float32Array[], tuned?: Tuned) => A;
  /** Numbers that are chosen on the dev split, where the metric rewards them. */
  readonly tune?: (examples: readonly E[], outputs: readonly (readonly Float32Array[])[]) => Tuned;
  /** The first decides which epoch is the best. */
  readonly judge: (examples: readonly E[], answers: readonly A[]) => Scores;
  /** A line of the submission. */
  readonly line: (example: E, answer: A) => string;
}

/** What was chosen on the dev split. */
export type Tuned = readonly number[];

/** A split that is ready for the model. */
export interface Prepared {
  /** Examples. */
  readonly count: number;
  readonly labelled: boolean;
  readonly units: readonly Unit[];
  /** Chooses on this split what the metric rewards. */
  readonly tune: (outputs: readonly Float32Array[]) => Tuned | undefined;
  /** Outputs of all units, judged. */
  readonly judge: (outputs: readonly Float32Array[], tuned?: Tuned) => Scores;
  /** Outputs of all units as lines of a submission. */
  readonly lines: (outputs: readonly Float32Array[], tuned?: Tuned) => readonly string[];
}

/** A task that is used without knowing its examples. */
export interface Task {
  readonly name: string;
  readonly about: string;
  readonly files: Readonly<Record<SplitName, readonly string[]>>;
  readonly defaults: TaskDefaults;
  readonly head: Head;
  /** A split of a folder; undefined where it has none. */
  readonly load: (
    folder: string,
    split: SplitName,
    tokenizer: Tokenizer,
    length: number,
  ) => Promise<Prepared | undefined>;
  /** The lines of a file by the splits that their groups fall into, where only one part of a data set is at hand. */
  readonly split: (file: string) => Promise<Readonly<Record<SplitName, readonly string[]>>>;
}

/** Puts a task together. */
export function task<E, A>(parts: TaskParts<E, A>): Task {
  const { name, about, files, defaults, head, decode } = parts;
  const load: Task["load"] = async (folder, split, tokenizer, length) => {
    const path = await splitFile(folder, files[split]);
    if (path === undefined) return undefined;
    const examples = (await readExamples(path, parts, split !== "test")).map(([example]) =>
      example
    );
    const own = examples.map((example) => parts.units(example, tokenizer, length));
    const of = (outputs: readonly Float32Array[]): readonly (readonly Float32Array[])[] => {
      let at = 0;
      return own.map(({ length }) => outputs.slice(at, at += length));
    };
    const answers = (outputs: readonly Float32Array[], tuned?: Tuned): readonly A[] =>
      of(outputs).map((found, i) => decode(examples[i]!, found, tuned));
    return {
      count: examples.length,
      labelled: examples.every(parts.labelled),
      units: own.flat(),
      tune: (outputs) => parts.tune?.(examples, of(outputs)),
      judge: (outputs, tuned) => parts.judge(examples, answers(outputs, tuned)),
      lines: (outputs, tuned) =>
        answers(outputs, tuned).map((answer, i) => parts.line(examples[i]!, answer)),
    };
  };
  return {
    name,
    about,
    files,
    defaults,
    head,
    load,
    async split(file) {
      const found: Record<SplitName, string[]> = { train: [], dev: [], test: [] };
      for (const [example, line] of await readExamples(file, parts, true)) {
        found[splitOf(parts.group(example))].push(line);
      }
      return found;
    },
  };
}
