/**
 * What questions look like outside: a line of a file or of a request's list in, an object of JSON out.
 *
 * @module
 */
import { type Fail, field, type Fields, listOf, textOf } from "../clue/fields.ts";
import type { Asked, Choices, Chosen, Entity, FoundAnswer } from "../clue/task_questions.ts";
import { classified, type TextOrPair } from "./classify.ts";
import { embedding } from "./embed.ts";
import { filledMask, GUESSES, type Masked } from "./fill_mask.ts";
import type { Ask } from "./model_source.ts";
import type { Question } from "./question.ts";
import { relevanceOf, type Shortlist } from "./relevance.ts";
import { shortest } from "./shortest.ts";
import { answerIn, choiceOf, entitiesIn } from "./task_question.ts";

/** A question with the form of its inputs and answers. */
export interface Form<I, A> {
  readonly question: Question<I, A>;
  /** The input in a line of plain text; undefined where it needs more than one text. */
  readonly ofText: ((text: string, settings: FormSettings) => I) | undefined;
  /** What an object must hold, as an example. */
  readonly example: string;
  /** The input in an object. */
  readonly ofObject: (object: Fields, fail: Fail, settings: FormSettings) => I;
  /** The fields of an answer. */
  readonly output: (answer: A) => Fields;
}

/** What is the same for all lines. */
export interface FormSettings {
  /** Guesses of a [MASK]. */
  readonly top: number;
}

/** As many as there are without a choice. */
export const FORM_SETTINGS: FormSettings = { top: GUESSES };

/** Numbers of a vector of length 1, to eight decimals: no f32 of its usual size loses anything. */
export const decimals = (vector: Float32Array): readonly number[] =>
  Array.from(vector, (x) => Math.round(x * 1e8) / 1e8);

/** A form whose inputs and answers are its own affair. */
export type AnyForm = Form<unknown, unknown>;

/** Closes a form: only what it makes of lines is ever asked, and only answers to that are shown by it. */
const form = <I, A>(parts: Form<I, A>): AnyForm => parts as unknown as AnyForm;

/** The forms. */
export const forms: Readonly<Record<Ask, AnyForm>> = {
  embed: form<string, Float32Array>({
    question: embedding,
    example: '{"text": "..."}',
    ofText: (text) => text,
    ofObject: (object, fail) => field(object, "text", fail),
    output: (vector) => ({ embedding: decimals(vector) }),
  }),
  relevance: form<Shortlist, readonly number[]>({
    question: relevanceOf,
    ofText: undefined,
    example: '{"query": "...", "titles": ["..."]}',
    ofObject(object, fail) {
      const titles = listOf(object.titles, '"titles"', fail);
      if (titles.length === 0) fail('"titles" is empty');
      return {
        query: field(object, "query", fail),
        titles: titles.map((title, i) => textOf(title, `titles[${i}]`, fail)),
      };
    },
    output: (scores) => ({ scores: scores.map(shortest) }),
  }),
  "fill-mask": form<Masked, ReturnType<typeof filledMask.answer>>({
    question: filledMask,
    example: '{"text": "...[MASK]..."}',
    ofText: (text, { top }) => ({ text, top }),
    ofObject: (object, fail, { top }) => ({ text: field(object, "text", fail), top }),
    output: (masks) => ({
      masks: masks.map((guesses) =>
        guesses.map(({ token, probability }) => ({ token, probability: shortest(probability) }))
      ),
    }),
  }),
  classify: form<TextOrPair, ReturnType<typeof classified.answer>>({
    question: classified,
    example: '{"text": "..."}',
    ofText: (text) => text,
    ofObject(object, fail) {
      const first = field(object, "text", fail);
      return object.pair === undefined ? first : [first, field(object, "pair", fail)];
    },
    output: ({ label, probabilities }) => ({
      label,
      probabilities: Object.fromEntries(
        Object.entries(probabilities).map(([name, p]) => [name, shortest(Math.fround(p))]),
      ),
    }),
  }),
  entities: form<string, readonly Entity[]>({
    question: entitiesIn,
    ofText: (text) => text,
    example: '{"text": "..."}',
    ofObject: (object, fail) => field(object, "text", fail),
    output: (entities) => ({ entities }),
  }),
  answer: form<Asked, FoundAnswer | null>({
    question: answerIn,
    ofText: undefined,
    example: '{"question": "...", "context": "..."}',
    ofObject: (object, fail) => ({
      question: field(object, "question", fail),
      context: field(object, "context", fail),
    }),
    output: (found) =>
      found ? { ...found, score: shortest(Math.fround(found.score)) } : { answer: null },
  }),
  choose: form<Choices, Chosen>({
    question: choiceOf,
    ofText: undefined,
    example: '{"text": "...", "question": "...", "choices": ["...", "..."]}',
    ofObject: (object, fail) => ({
      text: field(object, "text", fail),
      ...object.question !== undefined && { question: field(object, "question", fail) },
      choices: listOf(object.choices, '"choices"', fail)
        .map((one, i) => textOf(one, `choices[${i}]`, fail)),
    }),
    output: ({ choice, place, probabilities }) => ({
      choice,
      place,
      probabilities: probabilities.map((p) => shortest(Math.fround(p))),
    }),
  }),
};
