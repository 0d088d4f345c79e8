/**
 * CMRC 2018: which part of a passage of Wikipedia answers a question?
 *
 * A passage is read in windows; those without the answer are to point at [CLS]. The answer is cut out of the passage itself.
 *
 * Source: Cui et al. 2019 (arXiv 1810.07366); https://github.com/ymcui/cmrc2018, and CLUE's baseline for windows and decoding.
 *
 * @module
 */
import { defaults } from "../defaults.ts";
import { isRecord } from "../../cli/schema.ts";
import { bestSpan } from "../best_span.ts";
import type { DocumentForm } from "../document.ts";
import { type Fail, field, type Fields, jsonObject, listOf } from "../fields.ts";
import { span } from "../heads/span.ts";
import { cmrcScores } from "../metrics/cmrc.ts";
import { type Task, task } from "../task.ts";
import {
  type Asked,
  charactersBefore,
  type FoundAnswer,
  type TaskQuestion,
} from "../task_questions.ts";
import { type Place, type PlacedTokens, placedTokens, utf16Index } from "../token_places.ts";
import type { Tokenizer } from "../../text/tokenize.ts";
import type { Row, Unit } from "../unit.ts";
import { fullestWindow, type Window, windowsOf } from "../windows.ts";

/** A question about a passage. */
interface Question {
  readonly id: string;
  readonly text: string;
  /** None where they are hidden. */
  readonly answers: readonly string[];
  /** Where the first answer stands. */
  readonly place?: Place;
}

/** A passage and all its questions. */
interface Passage {
  readonly context: string;
  readonly questions: readonly Question[];
}

/** A window on a passage for a question. */
interface WindowUnit extends Unit {
  readonly question: Question;
  readonly tokens: PlacedTokens;
  readonly windows: readonly Window[];
  /** Its own among them. */
  readonly window: number;
  /** Where in the row the passage begins. */
  readonly from: number;
}

/** Tokens of a question at most, in rows of so many. */
const askedMost = (length: number): number => Math.min(64, length >> 1);
/** Tests are handed out with answers like FAKE_ANSWER_1. */
const FAKE = /^FAKE_ANSWER/;
/** No answer starts with one of these where it is learnt. */
const STOPS = new Set("。，：:.,");

const document: DocumentForm = {
  records(value, fail) {
    const data = isRecord(value) ? value.data : undefined;
    return listOf(data, '"data"', fail).flatMap((article, i) => {
      const own = isRecord(article) ? article.paragraphs : undefined;
      return listOf(own, `"paragraphs" of data[${i}]`, fail).map((paragraph, j) =>
        [`data[${i}].paragraphs[${j}]`, paragraph] as const
      );
    });
  },
  around: ['{"version": "v1.0", "data": [{"paragraphs": [', "]}]}"],
};

/** Where an answer stands: at its own place, or the nearest one; some places are off by a few characters, or -1. */
function placeOf(context: string, answer: string, start: number): Place | undefined {
  const wanted = utf16Index(context, Math.max(0, start));
  let best: number | undefined;
  for (let at = context.indexOf(answer); at >= 0; at = context.indexOf(answer, at + 1)) {
    if (best === undefined || Math.abs(at - wanted) < Math.abs(best - wanted)) best = at;
  }
  return best === undefined ? undefined : [best, best + answer.length];
}

function questionOf(object: Fields, context: string, failed: Fail): Question {
  const id = field(object, "id", failed), fail: Fail = (why) => failed(`question ${id}: ${why}`);
  const text = field(object, "question", fail);
  const listed = object.answers === undefined ? [] : listOf(object.answers, '"answers"', fail);
  const answers = listed.map((answer) =>
    isRecord(answer) ? answer : fail("an answer is no object")
  );
  const texts = answers.map((answer) => field(answer, "text", fail));
  if (texts.length === 0 || texts.every((one) => FAKE.test(one))) return { id, text, answers: [] };
  const start = answers[0]!.answer_start;
  if (!Number.isInteger(start)) fail('"answer_start" of its first answer is no whole number');
  const place = placeOf(context, texts[0]!, start as number);
  return place
    ? { id, text, answers: texts, place }
    : fail(`its answer ${JSON.stringify(texts[0])} is not in the passage`);
}

/** Tokens of the answer: first and last. */
function answerTokens(
  context: string,
  { places }: PlacedTokens,
  [start, end]: Place,
): readonly [first: number, last: number] | undefined {
  let first = places.findIndex(([, to]) => to > start);
  const last = places.findLastIndex(([from]) => from < end);
  if (first < 0 || last < first) return undefined;
  if (first < last && STOPS.has(context.slice(...places[first]!))) first++;
  return [first, last];
}

/** Windows on a passage for all its questions. */
function unitsOf(
  { context, questions }: Passage,
  tokenizer: Tokenizer,
  length: number,
): readonly WindowUnit[] {
  const { cls, sep } = tokenizer.vocabulary, tokens = placedTokens(tokenizer, context);
  return questions.flatMap((question) => {
    const asked = tokenizer.encode(question.text).ids.slice(0, askedMost(length));
    const head = [cls, ...asked, sep], from = head.length;
    const windows = windowsOf(tokens.ids.length, length - from - 1);
    const answer = question.place && answerTokens(context, tokens, question.place);
    return windows.map(({ start, length: own }, window): WindowUnit => {
      const inside = answer && answer[0] >= start && answer[1] < start + own;
      const known = inside ? answer.map((token) => token - start + from) : [0, 0];
      return {
        ...{ question, tokens, windows, window, from },
        // Made when asked for: windows overlap, and there are many.
        get rows(): readonly Row[] {
          const ids = [...head, ...tokens.ids.slice(start, start + own), sep];
          return [{ ids, segments: ids.map((_, i) => i < from ? 0 : 1) }];
        },
        target: question.place ? known : [],
      };
    });
  });
}

/** Where the answer to a question stands, spaces around it left out, and its score; undefined where nothing can be one. */
function foundIn(
  context: string,
  own: readonly WindowUnit[],
  outputs: readonly Float32Array[],
): { readonly place: Place; readonly score: number } | undefined {
  const found = bestSpan(own.map(({ windows, window, from }, i) => {
    const { start, length } = windows[window]!, all = outputs[i]!, half = all.length / 2;
    return {
      starts: all.subarray(0, half),
      ends: all.subarray(half),
      from,
      to: from + length,
      mayStart: (token) => fullestWindow(windows, token - from + start) === window,
    };
  }));
  if (!found) return undefined;
  const { tokens: { places }, windows, window, from } = own[found.window]!;
  const offset = windows[window]!.start - from;
  const [start] = places[found.start + offset]!, [, end] = places[found.end + offset]!;
  const text = context.slice(start, end), first = start + text.length - text.trimStart().length;
  return { place: [first, first + text.trim().length], score: found.score };
}

/** A question about any text, of any length. */
const answer: TaskQuestion<Asked, FoundAnswer | null> = {
  rows({ question, context }, { tokenizer, length, refuseLong, refuse }) {
    refuseLong("its question", tokenizer.encode(question).ids.length, askedMost(length));
    const units = unitsOf(passageOf(question, context), tokenizer, length);
    if (units.length === 0) refuse("it holds an empty text");
    return units.flatMap(({ rows }) => rows);
  },
  answer({ question, context }, outputs, { tokenizer, length }) {
    const units = unitsOf(passageOf(question, context), tokenizer, length);
    const found = foundIn(context, units, outputs);
    if (!found) return null;
    const { place: [start, end], score } = found;
    return {
      answer: context.slice(start, end),
      start: charactersBefore(context, start),
      end: charactersBefore(context, end),
      score,
    };
  },
};

const passageOf = (text: string, context: string): Passage => {
  return { context, questions: [{ id: "0", text, answers: [] }] };
};

const made = task<Passage, readonly string[], WindowUnit>({
  name: "cmrc2018",
  about: "the part of a passage that answers a question (Wikipedia)",
  files: {
    train: ["train.json", "cmrc2018_train.json"],
    dev: ["dev.json", "cmrc2018_dev.json"],
    test: ["test.json", "cmrc2018_test_2k.json", "cmrc2018_test.json"],
  },
  folders: ["cmrc"],
  document,
  submits: { isObject: () => true },
  defaults: defaults.cmrc2018,
  head: span,
  parse(record, fail) {
    const object = jsonObject(record, fail), context = field(object, "context", fail);
    const questions = listOf(object.qas, '"qas"', fail).map((one) =>
      questionOf(isRecord(one) ? one : fail("a question is no object"), context, fail)
    );
    if (questions.length === 0) fail('"qas" is empty');
    const hidden = questions.find(({ answers }) => answers.length === 0);
    const shown = questions.find(({ answers }) => answers.length > 0);
    if (hidden && shown) fail(`question ${hidden.id} has no answer, question ${shown.id} has`);
    return { context, questions };
  },
  id: ({ questions }) => questions.map(({ id }) => id),
  labelled: ({ questions }) => questions[0]!.answers.length > 0,
  group: ({ context }) => context,
  units: unitsOf,
  decode: ({ context, questions }, outputs, _, units) =>
    questions.map((question) => {
      const own = units.flatMap((unit, i) => unit.question === question ? [i] : []);
      const found = foundIn(context, own.map((i) => units[i]!), own.map((i) => outputs[i]!));
      return found ? context.slice(...found.place) : "";
    }),
  judge(passages, answers) {
    const { em, f1 } = cmrcScores(
      answers.flat(),
      passages.flatMap(({ questions }) => questions.map((question) => question.answers)),
    );
    return { em, f1 };
  },
  line: ({ questions }, answers) =>
    questions.map(({ id }, i) => JSON.stringify({ id, label: answers[i] })),
  fault(_, { label }) {
    return typeof label === "string"
      ? undefined
      : `the answer is ${JSON.stringify(label)}, not text`;
  },
});

/** The task. Every example is a passage with all its questions. */
export const cmrc2018: Task = { ...made, questions: { answer } };
