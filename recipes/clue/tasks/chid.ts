/**
 * ChID: which idiom of a list stands in each blank of some passages?
 *
 * Each idiom is read with the text around the blank in a row of its own, `[CLS] idiom [SEP] left [unused1] right [SEP]`; other blanks are four
 * [MASK]. Passages in one line of a file share their idioms, and none is used twice: its blanks are answered together.
 *
 * Source: Zheng et al. 2019 (arXiv 1906.01265); CLUE's baseline for rows and answers; https://github.com/CLUEbenchmark/FewCLUE for files of
 * one blank and seven idioms.
 *
 * @module
 */
import { assign } from "../assign.ts";
import { defaults } from "../defaults.ts";
import {
  type Fail,
  faultOf,
  field,
  type Fields,
  idOf,
  jsonObject,
  listOf,
  refuseOthers,
  textOf,
} from "../fields.ts";
import { choice } from "../heads/choice.ts";
import { accuracy } from "../metrics/accuracy.ts";
import type { AnswerId } from "../submission.ts";
import { type Task, task } from "../task.ts";
import { type Choices, type Chosen, chosenOf, type TaskQuestion } from "../task_questions.ts";
import type { Tokenizer } from "../../text/tokenize.ts";
import type { Row, Unit } from "../unit.ts";

/** A blank. */
interface Blank {
  readonly id: AnswerId;
  /** The idiom that stands there; undefined where it is hidden. */
  readonly answer?: number;
}

/** Passages that share idioms. */
interface Group {
  readonly idioms: readonly string[];
  /** Texts before, between and after blanks; the blanks of all passages in a row are `blanks`. */
  readonly passages: readonly (readonly string[])[];
  readonly blanks: readonly Blank[];
}

/** Idioms of a group, at most. */
const IDIOMS = 10;
const BLANK = /#idiom\d*#/g;
/** Tokens of an idiom, and of a blank that is not asked for. */
const FOUR = 4;

/** Marks that vocabularies of the time lacked, as the baseline writes them. */
function plain(text: string): string {
  return text.replace(/[“”]/g, '"').replaceAll("——", "--").replace(/[—―]/g, "-")
    .replaceAll("…", "...").replace(/[‘’]/g, "'");
}

function idiomsOf(object: Fields, fail: Fail): readonly string[] {
  const idioms = listOf(object.candidates, '"candidates"', fail).map((one, i) =>
    textOf(one, `candidate ${i + 1}`, fail)
  );
  if (idioms.length < 2 || idioms.length > IDIOMS) {
    fail(`it has ${idioms.length} candidates, it must have 2 to ${IDIOMS}`);
  }
  if (new Set(idioms).size < idioms.length) fail("a candidate is there twice");
  return idioms;
}

/** The number of an idiom; undefined where it is hidden. */
function answerFor(value: unknown, count: number, of: string, fail: Fail): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === "string" && /^\d$/.test(value) ? Number(value) : value;
  if (Number.isInteger(number) && number as number >= 0 && number as number < count) {
    return number as number;
  }
  return fail(`answer${of} is ${JSON.stringify(value)}, it must be from 0 to ${count - 1}`);
}

/** Does a group come from FewCLUE? Its blank has the number of the line. */
const isOne = ({ blanks }: Group): boolean => !String(blanks[0]!.id).startsWith("#");

/** Tokens on both sides of one, `count` of them, half on either side where there are so many. */
function around(
  tokens: readonly number[],
  at: number,
  count: number,
): readonly [left: readonly number[], right: readonly number[]] {
  const half = count >> 1, after = tokens.length - 1 - at;
  const left = at < half ? at : after < count - half ? count - after : half;
  const from = Math.max(0, at - left);
  return [tokens.slice(from, at), tokens.slice(at + 1, at + 1 + count - (at - from))];
}

/** A blank among tokens. */
const HOLE = -1;

/** Tokens of an idiom at most: [CLS], two [SEP] and the blank stand beside it. */
const idiomRoom = (length: number): number => length - 4;

/** The rows of a blank: one for each idiom, and empty ones for those that are lacking. All of them have the same text around it. */
function rowsOf(
  { vocabulary: { cls, sep, mask, ids } }: Pick<Tokenizer, "vocabulary">,
  idioms: readonly (readonly number[])[],
  tokens: readonly number[],
  at: number,
  length: number,
): readonly Row[] {
  const room = idiomRoom(length), known = idioms.map((idiom) => idiom.slice(0, room));
  const longest = Math.max(FOUR, ...known.map((idiom) => idiom.length));
  const [before, after] = around(tokens, at, room - longest);
  const filled = (side: readonly number[]): readonly number[] =>
    side.flatMap((id) => id === HOLE ? Array(FOUR).fill(mask) : [id]);
  const left = filled(before).slice(-before.length || Infinity);
  const right = filled(after).slice(0, after.length);
  // A vocabulary of ours has no token to spare.
  const hole = ids.get("[unused1]") ?? mask;
  return Array.from({ length: IDIOMS }, (_, n) => {
    const idiom = known[n];
    if (!idiom) return { ids: [cls], segments: [0] };
    const all = [cls, ...idiom, sep, ...left, hole, ...right, sep];
    return { ids: all, segments: Array(all.length).fill(0) };
  });
}

/** A passage's tokens, and the places of its blanks among them. */
function holesOf({ encode }: Tokenizer, texts: readonly string[]) {
  const parts = texts.map((text) => encode(text).ids);
  const tokens = parts.flatMap((part, i) => i > 0 ? [HOLE, ...part] : part);
  return tokens.flatMap((id, at) => id === HOLE ? [{ tokens, at }] : []);
}

/** An idiom for the one blank of any text. */
const choose: TaskQuestion<Choices, Chosen> = {
  rows({ text, question, choices }, { tokenizer, length, refuseLong, refuse }) {
    if (question !== undefined) refuse('it has a "question", and is about the blank in its text');
    const fault = faultOf((fail) => void idiomsOf({ candidates: choices }, fail));
    if (fault !== undefined) refuse(fault.replaceAll("candidate", "choice"));
    const marks = text.match(BLANK)?.length ?? 0;
    if (marks !== 1) refuse(`it has ${marks} blanks (#idiom#), it must have one`);
    const known = choices.map((one) => tokenizer.encode(one).ids);
    if (known.some((ids) => ids.length === 0)) refuse("it holds an empty text");
    // Of the text it is as in the files: what stands around the blank is read.
    refuseLong("a choice", Math.max(...known.map((ids) => ids.length)), idiomRoom(length));
    const [hole] = holesOf(tokenizer, plain(text).split(BLANK));
    return rowsOf(tokenizer, known, hole!.tokens, hole!.at, length).slice(0, choices.length);
  },
  answer: chosenOf,
};

const made = task<Group, readonly number[]>({
  name: "chid",
  about: "idioms in the blanks of passages",
  files: {
    train: ["train.json", ...["few_all", "0", "1", "2", "3", "4"].map((n) => `train_${n}.json`)],
    dev: ["dev.json", ...["few_all", "0", "1", "2", "3", "4"].map((n) => `dev_${n}.json`)],
    test: ["test_public.json", "test1.1.json", "test.json", "test1.0.json"],
  },
  answersOf: (path) => path.replace(/(\.json)?$/, "_answer.json"),
  submits: {
    as: "chid11",
    files: { "test1.0.json": "chid10" },
    few: "chidf",
    isObject: (submission) => !submission.startsWith("chidf"),
  },
  defaults: defaults.chid,
  head: choice(IDIOMS),
  parse(line, fail, place, answers) {
    const object = jsonObject(line, fail);
    refuseOthers(object, "chid", fail);
    const idioms = idiomsOf(object, fail), one = typeof object.content === "string";
    const texts = one
      ? [field(object, "content", fail)]
      : listOf(object.content, '"content"', fail).map((text) => textOf(text, "a passage", fail));
    const marks = texts.flatMap((text) => text.match(BLANK) ?? []);
    if (marks.length === 0) fail('no "#idiom…#" is in it');
    if (one && marks.length > 1) fail(`${marks.length} blanks are in it, there must be one`);
    const blanks = marks.map((mark): Blank => {
      const value = one ? object.answer : answers?.[mark];
      if (!one && answers && value === undefined) fail(`the file of answers has none for ${mark}`);
      const answer = answerFor(value, idioms.length, one ? "" : ` ${mark}`, fail);
      const id = one ? idOf(object, fail) ?? place : mark;
      return { id, ...answer !== undefined && { answer } };
    });
    return { idioms, passages: texts.map((text) => plain(text).split(BLANK)), blanks };
  },
  id: ({ blanks }) => blanks.map(({ id }) => id),
  labelled: ({ blanks }) => blanks[0]!.answer !== undefined,
  group: ({ passages }) => passages.flat().join(" "),
  units({ idioms, passages, blanks }, tokenizer, length) {
    const known = idioms.map((idiom) => tokenizer.encode(idiom).ids);
    const holes = passages.flatMap((texts) => holesOf(tokenizer, texts));
    return blanks.map(({ answer }, n): Unit => ({
      // Made when asked for: of the half million blanks of CLUE all rows at once would be gigabytes.
      get rows(): readonly Row[] {
        return rowsOf(tokenizer, known, holes[n]!.tokens, holes[n]!.at, length);
      },
      target: answer === undefined ? [] : [answer],
    }));
  },
  decode: ({ idioms }, outputs) =>
    assign(outputs.map((scores) => scores.subarray(0, idioms.length))),
  judge: (groups, answers) => ({
    accuracy: accuracy(
      answers.flat(),
      groups.flatMap(({ blanks }) => blanks.map(({ answer }) => answer!)),
    ),
  }),
  line: (group, answers) =>
    group.blanks.map(({ id }, i) =>
      JSON.stringify(isOne(group) ? { id, answer: String(answers[i]) } : { id, label: answers[i] })
    ),
  fault(group, object) {
    const one = isOne(group), value = one ? object.answer : object.label;
    const last = group.idioms.length - 1, number = one ? Number(value) : value;
    const form = typeof value === (one ? "string" : "number") && value !== "";
    if (form && Number.isInteger(number) && number as number >= 0 && number as number <= last) {
      return undefined;
    }
    const wanted = one ? `a text from "0" to "${last}"` : `a whole number from 0 to ${last}`;
    return `the answer is ${JSON.stringify(value)}, it must be ${wanted}`;
  },
});

/** The task. Every example is a group. */
export const chid: Task = { ...made, questions: { choose } };
