/**
 * What a task is: how its files are read, what the model is shown, what its answers mean, and how they are judged. A task is one file in
 * `tasks/`.
 *
 * @module
 */
import { basename } from "@std/path";
import type { Tokenizer } from "../text/tokenize.ts";
import type { Fields } from "./fields.ts";
import type { Head } from "./heads/head.ts";
import { type FileExamples, readExamples, splitFiles } from "./read_split.ts";
import { splitOf } from "./split.ts";
import { isFew, submissionFaults, submissionOf, type Submits } from "./submission.ts";
import type { Columns } from "./tab_separated.ts";
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
  /** Files that a split may be in: the first that is there counts, or all of them where they are tests. */
  readonly files: Readonly<Record<SplitName, readonly string[]>>;
  /** Other names that its folder may have. */
  readonly folders?: readonly string[];
  /** What tab-separated files hold, where there are any. */
  readonly columns?: Columns;
  readonly submits?: Submits;
  readonly defaults: TaskDefaults;
  readonly head: Head;
  /** An example from a line, which is the `place`-th of its file from 0; `fail` refuses it, undefined leaves it out. */
  readonly parse: (
    line: string,
    fail: (why: string) => never,
    place: number,
  ) => E | undefined;
  /** Why examples are left out. */
  readonly dropped?: string;
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
  /** A line of the submission of this name. */
  readonly line: (example: E, answer: A, submission: string) => string;
  /** What is wrong with a submission's line that answers an example. */
  readonly fault?: (example: E, object: Fields) => string | undefined;
}

/** What was chosen on the dev split. */
export type Tuned = readonly number[];

/** A split that is ready for the model. */
export interface Prepared {
  /** Examples. */
  readonly count: number;
  readonly labelled: boolean;
  /** What a person should know of its file. */
  readonly notes: readonly string[];
  /** The file that its answers are handed in as. */
  readonly submission?: string;
  readonly units: readonly Unit[];
  /** Chooses on this split what the metric rewards. */
  readonly tune: (outputs: readonly Float32Array[]) => Tuned | undefined;
  /** Outputs of all units, judged. */
  readonly judge: (outputs: readonly Float32Array[], tuned?: Tuned) => Scores;
  /** Outputs of all units as lines of a submission. */
  readonly lines: (outputs: readonly Float32Array[], tuned?: Tuned) => readonly string[];
}

/** A test that answers are handed in to. */
export interface Asked {
  readonly path: string;
  readonly submission: string;
}

/** A task that is used without knowing its examples. */
export interface Task extends
  Pick<
    TaskParts<never, never>,
    "name" | "about" | "files" | "folders" | "submits" | "defaults" | "head"
  > {
  /** A split of a folder; undefined where it has none. */
  readonly load: (
    folder: string,
    split: SplitName,
    tokenizer: Tokenizer,
    length: number,
  ) => Promise<Prepared | undefined>;
  /** All tests of a folder. */
  readonly tests: (
    folder: string,
    tokenizer: Tokenizer,
    length: number,
  ) => Promise<readonly Prepared[]>;
  /** Tests of a folder whose answers can be handed in. */
  readonly asked: (folder: string) => Promise<readonly Asked[]>;
  /** All that is wrong with the text of a submission to a test. */
  readonly faults: (test: string, text: string) => Promise<readonly string[]>;
  /** The lines of files by the splits that their groups fall into, where only one part of a data set is at hand. */
  readonly split: (
    ...files: readonly string[]
  ) => Promise<Readonly<Record<SplitName | "notes", readonly string[]>>>;
}

/** What a split's examples are to the model and to its judge. */
function prepared<E, A>(
  parts: TaskParts<E, A>,
  { examples: read, notes }: FileExamples<E>,
  tokenizer: Tokenizer,
  length: number,
  submission?: string,
): Prepared {
  const examples = read.map(([example]) => example);
  const own = examples.map((example) => parts.units(example, tokenizer, length));
  const of = (outputs: readonly Float32Array[]): readonly (readonly Float32Array[])[] => {
    let at = 0;
    return own.map(({ length }) => outputs.slice(at, at += length));
  };
  const answers = (outputs: readonly Float32Array[], tuned?: Tuned): readonly A[] =>
    of(outputs).map((found, i) => parts.decode(examples[i]!, found, tuned));
  return {
    count: examples.length,
    labelled: examples.every(parts.labelled),
    notes,
    ...submission !== undefined && { submission },
    units: own.flat(),
    tune: (outputs) => parts.tune?.(examples, of(outputs)),
    judge: (outputs, tuned) => parts.judge(examples, answers(outputs, tuned)),
    lines: (outputs, tuned) =>
      answers(outputs, tuned).map((answer, i) =>
        parts.line(examples[i]!, answer, submission ?? parts.name)
      ),
  };
}

/** The tests that a folder has, and what their answers are called; of two tests of one name the first counts. */
async function testsOf<E, A>(
  { name, files, submits = {} }: TaskParts<E, A>,
  folder: string,
): Promise<readonly { readonly path: string; readonly submission?: string }[]> {
  const own = await splitFiles(folder, Object.values(files).flat());
  const few = own.some((path) => isFew(basename(path))), names = new Set<string | undefined>();
  return (await splitFiles(folder, files.test)).flatMap((path) => {
    const submission = submissionOf(name, submits, basename(path), few);
    if (submission !== undefined && names.has(submission)) return [];
    names.add(submission);
    return [{ path, ...submission !== undefined && { submission } }];
  });
}

/** Puts a task together. */
export function task<E, A>(parts: TaskParts<E, A>): Task {
  const { name, about, files, folders = [], submits = {}, defaults, head } = parts;
  const tests: Task["tests"] = async (folder, tokenizer, length) => {
    const found: Prepared[] = [];
    for (const { path, submission } of await testsOf(parts, folder)) {
      const read = await readExamples(path, parts, false);
      found.push(prepared(parts, read, tokenizer, length, submission));
    }
    return found;
  };
  return {
    ...{ name, about, files, folders, submits, defaults, head, tests },
    async load(folder, split, tokenizer, length) {
      if (split === "test") return (await tests(folder, tokenizer, length))[0];
      const [path] = await splitFiles(folder, files[split]);
      if (path === undefined) return undefined;
      return prepared(parts, await readExamples(path, parts, true), tokenizer, length);
    },
    async asked(folder) {
      return (await testsOf(parts, folder)).flatMap(({ path, submission }) =>
        submission === undefined ? [] : [{ path, submission }]
      );
    },
    async faults(test, text) {
      const { examples } = await readExamples(test, parts, false);
      return submissionFaults(
        text,
        examples.map(([example]) => ({
          id: parts.id(example),
          fault: (object) => parts.fault?.(example, object),
        })),
      );
    },
    async split(...paths) {
      const found: Record<SplitName, string[]> = { train: [], dev: [], test: [] };
      const notes: string[] = [], known = new Set<string>();
      let count = 0, twice = 0;
      for (const path of paths) {
        const { examples, notes: own } = await readExamples(path, parts, true);
        notes.push(...own);
        for (const [example, line] of examples) {
          // Files number their examples alike: beside one another they need other numbers, and may have examples in common.
          const same = JSON.stringify({ ...example, id: undefined });
          if (paths.length > 1 && known.has(same)) {
            twice++;
            continue;
          }
          known.add(same);
          const numbered = JSON.stringify({ ...JSON.parse(line), id: count++ });
          found[splitOf(parts.group(example))].push(paths.length > 1 ? numbered : line);
        }
      }
      if (twice > 0) notes.push(`${twice} examples are left out, as they stand there already`);
      return { ...found, notes };
    },
  };
}
