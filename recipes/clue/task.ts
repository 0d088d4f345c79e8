/**
 * What a task is: how its files are read, what the model is shown, what its answers mean, and how they are judged. A task is one file in
 * `tasks/`.
 *
 * @module
 */
import { basename } from "@std/path";
import type { Tokenizer } from "../text/tokenize.ts";
import { InputError } from "../cli/input_error.ts";
import type { TaskDefaults } from "./defaults.ts";
import { type DocumentForm, documentOf } from "./document.ts";
import type { Fields } from "./fields.ts";
import type { Head } from "./heads/head.ts";
import { answersBeside, type FileExamples, readExamples, splitFiles } from "./read_split.ts";
import { splitOf } from "./split.ts";
import {
  type AnswerId,
  isFew,
  submissionFaults,
  submissionLines,
  submissionOf,
  type Submits,
} from "./submission.ts";
import type { Columns } from "./tab_separated.ts";
import type { TaskQuestions } from "./task_questions.ts";
import type { Unit } from "./unit.ts";

/** The parts of a data set. `test` may have no labels. */
export type SplitName = "train" | "dev" | "test";

/** Values of metrics by name. Units: percent. */
export type Scores = Readonly<Record<string, number>>;

/** What a task is made of: E is an example, A its answer or answers, U what the model is shown. */
export interface TaskParts<E, A, U extends Unit = Unit> {
  readonly name: string;
  /** In a sentence. */
  readonly about: string;
  /** Files that a split may be in: the first that is there counts, or all of them where they are tests. See `pairedFiles` too. */
  readonly files: Readonly<Record<SplitName, readonly string[]>>;
  /** Other names that its folder may have. */
  readonly folders?: readonly string[];
  /** What tab-separated files hold, where there are any. */
  readonly columns?: Columns;
  /** How files are read that are not a line an example; an example is a record then. */
  readonly document?: DocumentForm;
  /** The file beside another that holds its answers, as an object. */
  readonly answersOf?: (path: string) => string;
  /** Another way to learn a task, which is left out where all are learnt. */
  readonly variant?: boolean;
  readonly submits?: Submits;
  /** How it is learnt, where nothing else is asked for. */
  readonly defaults: TaskDefaults;
  readonly head: Head;
  /**
   * An example from a line, which is the `place`-th of its file from 0; `fail` refuses it, undefined leaves it out. `answers` are those
   * of a file beside its own.
   */
  readonly parse: (
    line: string,
    fail: (why: string) => never,
    place: number,
    answers?: Fields,
  ) => E | undefined;
  /** Why examples are left out. */
  readonly dropped?: string;
  /** As the submission names an example, or all that it asks. */
  readonly id: (example: E) => AnswerId | readonly AnswerId[];
  /** Is its answer known? */
  readonly labelled: (example: E) => boolean;
  /** What examples share that must not stand in two splits. */
  readonly group: (example: E) => string;
  /** What the model reads of it. */
  readonly units: (example: E, tokenizer: Tokenizer, length: number) => readonly U[];
  /** The answer in the outputs of its units; `tuned` is what `tune` gave. */
  readonly decode: (
    example: E,
    outputs: readonly Float32Array[],
    tuned: Tuned | undefined,
    units: readonly U[],
  ) => A;
  /** Numbers that are chosen on the dev split, where the metric rewards them. */
  readonly tune?: (examples: readonly E[], outputs: readonly (readonly Float32Array[])[]) => Tuned;
  /** The first decides which epoch is the best. */
  readonly judge: (examples: readonly E[], answers: readonly A[]) => Scores;
  /** A line of the submission of this name for all that an example asks: "id" and more. */
  readonly line: (example: E, answer: A, submission: string) => string | readonly string[];
  /** What is wrong with a submission's line that answers something of an example. */
  readonly fault?: (example: E, object: Fields) => string | undefined;
}

/** What was chosen on the dev split. */
export type Tuned = readonly number[];

/** A split that is ready for the model. */
export interface Prepared {
  /** Answers that are asked for: one an example, in most tasks. */
  readonly count: number;
  readonly labelled: boolean;
  /** What a person should know of its file. */
  readonly notes: readonly string[];
  /** The file that its answers are handed in as. */
  readonly submission?: string;
  readonly units: readonly Unit[];
  /** The same of those examples alone whose group is wanted. */
  readonly part: (wanted: (group: string) => boolean) => Prepared;
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
    "name" | "about" | "files" | "folders" | "submits" | "variant" | "defaults" | "head"
  > {
  /** The classes that a text or a pair is put in, where that is what the task asks. */
  readonly labels?: readonly string[];
  /** What the tags of tokens are called, where it tags them. */
  readonly tags?: readonly string[];
  /** What it can be asked beside its files. */
  readonly questions?: TaskQuestions;
  /** A split of a folder; undefined where it has none. */
  readonly load: (
    folder: string,
    split: SplitName,
    tokenizer: Tokenizer,
    length: number,
  ) => Promise<Prepared | undefined>;
  /** All that a folder has to learn from, train and dev in one. */
  readonly labelled: (
    folder: string,
    tokenizer: Tokenizer,
    length: number,
  ) => Promise<Prepared>;
  /** All tests of a folder. */
  readonly tests: (
    folder: string,
    tokenizer: Tokenizer,
    length: number,
  ) => Promise<readonly Prepared[]>;
  /** Tests of a folder whose answers can be handed in. */
  readonly asked: (folder: string) => Promise<readonly Asked[]>;
  /** All that is wrong with the text of a submission, of this name, to a test. */
  readonly faults: (test: string, text: string, submission?: string) => Promise<readonly string[]>;
  /** The lines of files by the splits that their groups fall into, where only one part of a data set is at hand. */
  readonly split: (
    ...files: readonly string[]
  ) => Promise<Readonly<Record<SplitName | "notes", readonly string[]>>>;
  /** Lines of `split` as a file. */
  readonly fileOf: (lines: readonly string[]) => string;
}

/** What an example asks. */
function idsOf<E>(
  { id }: { readonly id: TaskParts<E, never>["id"] },
  example: E,
): readonly AnswerId[] {
  return [id(example)].flat();
}

/** What a split's examples are to the model and to its judge. */
function prepared<E, A, U extends Unit>(
  parts: TaskParts<E, A, U>,
  { examples: read, notes }: FileExamples<E>,
  tokenizer: Tokenizer,
  length: number,
  submission?: string,
): Prepared {
  return preparedOf(
    parts,
    read.map(([example]) => [example, parts.units(example, tokenizer, length)]),
    notes,
    submission,
  );
}

/** The same of examples with what the model is shown of each. */
function preparedOf<E, A, U extends Unit>(
  parts: TaskParts<E, A, U>,
  all: readonly (readonly [example: E, units: readonly U[]])[],
  notes: readonly string[],
  submission?: string,
): Prepared {
  const examples = all.map(([example]) => example), own = all.map(([, units]) => units);
  const of = (outputs: readonly Float32Array[]): readonly (readonly Float32Array[])[] => {
    let at = 0;
    return own.map(({ length }) => outputs.slice(at, at += length));
  };
  const answers = (outputs: readonly Float32Array[], tuned?: Tuned): readonly A[] =>
    of(outputs).map((found, i) => parts.decode(examples[i]!, found, tuned, own[i]!));
  return {
    count: examples.reduce((sum, example) => sum + idsOf(parts, example).length, 0),
    labelled: examples.every(parts.labelled),
    notes,
    ...submission !== undefined && { submission },
    units: own.flat(),
    part: (wanted) =>
      preparedOf(parts, all.filter(([one]) => wanted(parts.group(one))), [], submission),
    tune: (outputs) => parts.tune?.(examples, of(outputs)),
    judge: (outputs, tuned) => parts.judge(examples, answers(outputs, tuned)),
    lines(outputs, tuned) {
      const name = submission ?? parts.name;
      const lines = answers(outputs, tuned).flatMap((one, i) =>
        parts.line(examples[i]!, one, name)
      );
      return submissionLines(lines, parts.submits, name);
    },
  };
}

/** The tests that a folder has, and what their answers are called; of two tests of one name the first counts. */
async function testsOf(
  { name, files, submits = {} }: Pick<TaskParts<never, never>, "name" | "files" | "submits">,
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
export function task<E, A, U extends Unit = Unit>(parts: TaskParts<E, A, U>): Task {
  const { name, about, files, folders = [], submits = {}, defaults, head, document } = parts;
  const { variant = false } = parts;
  const tests: Task["tests"] = async (folder, tokenizer, length) => {
    const found: Prepared[] = [];
    for (const { path, submission } of await testsOf(parts, folder)) {
      const read = await readExamples(path, parts, false);
      found.push(prepared(parts, read, tokenizer, length, submission));
    }
    return found;
  };
  return {
    ...{ name, about, files, folders, submits, variant, defaults, head, tests },
    fileOf: (lines) => document ? documentOf(document, lines) : lines.join("\n") + "\n",
    async load(folder, split, tokenizer, length) {
      if (split === "test") return (await tests(folder, tokenizer, length))[0];
      const [path] = await splitFiles(folder, files[split]);
      if (path === undefined) return undefined;
      return prepared(parts, await readExamples(path, parts, true), tokenizer, length);
    },
    async labelled(folder, tokenizer, length) {
      const found: FileExamples<E>[] = [];
      for (const split of ["train", "dev"] as const) {
        const [path] = await splitFiles(folder, files[split]);
        if (path !== undefined) found.push(await readExamples(path, parts, true));
      }
      const read = {
        examples: found.flatMap(({ examples }) => examples),
        notes: found.flatMap(({ notes }) => notes),
      };
      return prepared(parts, read, tokenizer, length);
    },
    async asked(folder) {
      return (await testsOf(parts, folder)).flatMap(({ path, submission }) =>
        submission === undefined ? [] : [{ path, submission }]
      );
    },
    async faults(test, text, submission = name) {
      const { examples } = await readExamples(test, parts, false);
      const expected = examples.flatMap(([example]) =>
        idsOf(parts, example).map((id) => ({
          id,
          fault: (object: Fields) => parts.fault?.(example, object),
        }))
      );
      return submissionFaults(text, expected, submits.isObject?.(submission));
    },
    async split(...paths) {
      const found: Record<SplitName, string[]> = { train: [], dev: [], test: [] };
      const notes: string[] = [], known = new Set<string>();
      let count = 0, twice = 0;
      if (document && paths.length > 1) {
        throw new InputError(
          `Cannot split ${paths.join(", ")} of ${name} together: pass one file at a time`,
        );
      }
      for (const path of paths) {
        const beside = await answersBeside(path, parts);
        if (beside !== undefined) {
          throw new InputError(
            `Cannot split ${path}: its answers are in ${beside}; only files that hold their answers can be`,
          );
        }
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
