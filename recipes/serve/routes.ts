/**
 * What a server answers to questions: for each route, what a request holds, how it is asked, and what is sent back.
 *
 * Embeddings are asked for and sent as by OpenAI's API, so that programs written for that one can ask here; the others follow it in
 * `input`, `data` and `usage`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Asked, Choices, Chosen, Entity, FoundAnswer } from "../clue/task_questions.ts";
import { classified, type TextOrPair } from "../predict/classify.ts";
import { embedding } from "../predict/embed.ts";
import { filledMask, GUESSES, type Masked, MOST_GUESSES } from "../predict/fill_mask.ts";
import { type AnyForm, decimals, forms } from "../predict/forms.ts";
import type { Ask } from "../predict/model_source.ts";
import type { Question } from "../predict/question.ts";
import { relevanceOf, type Shortlist } from "../predict/relevance.ts";
import { answerIn, choiceOf, entitiesIn } from "../predict/task_question.ts";
import {
  flag,
  list,
  listOr,
  object,
  oneOf,
  pairOf,
  type Schema,
  type Shape,
  text,
  whole,
} from "./shape.ts";

/** What every request may say. */
export interface Common {
  readonly truncate?: boolean;
  readonly model?: string;
}

/** A route that asks the model: bodies B, inputs I, answers A. */
export interface Route<B extends Common, I, A> {
  readonly path: string;
  readonly about: string;
  readonly question: Question<I, A>;
  readonly body: Shape<B>;
  readonly inputs: (body: B) => readonly I[];
  /** What an input is called in messages. */
  readonly name: (body: B, i: number) => string;
  /** The fields of the response beside `model` and `usage`. */
  readonly response: (body: B, answers: readonly A[]) => Readonly<Record<string, unknown>>;
  /** Their schemas. */
  readonly schema: Readonly<Record<string, Schema>>;
}

/** A route whose bodies, inputs and answers are its own affair. */
export type AnyRoute = Route<Common, unknown, unknown>;

/** Closes a route: only what its `body` let through is ever given to it. */
const route = <B extends Common, I, A>(parts: Route<B, I, A>): AnyRoute =>
  parts as unknown as AnyRoute;

const common = { truncate: flag, model: text };
const numbers: Schema = { type: "array", items: { type: "number" } };
const record = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const listOf = (items: Schema): Schema => ({ type: "array", items });
const index: Schema = { type: "integer", minimum: 0 };
const string: Schema = { type: "string" };

const nameOf = (body: { readonly input: unknown }, i: number): string =>
  Array.isArray(body.input) ? `input[${i}]` : "input";

const listed = <T>(input: T | readonly T[]): readonly T[] =>
  Array.isArray(input) ? input : [input as T];

/** Answers as a list of objects with their numbers, in the form that files have. */
const data = (form: AnyForm, answers: readonly unknown[]) => ({
  data: answers.map((answer, index) => ({ index, ...form.output(answer) })),
});

const base64 = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

/** All routes for requests of at most `rows` texts, and questions of at most `choices`: who answers none says so before it reads any. */
export function routesOf(rows: number, choices = 2): Readonly<Record<Ask, AnyRoute>> {
  const texts = list(text, 1, rows), oneOrMore = listOr(texts, text);
  const oneOrMoreOf = <R extends object, O extends object>(
    required: { readonly [K in keyof R]: Shape<R[K]> },
    optional?: { readonly [K in keyof O]: Shape<O[K]> },
  ) => {
    const one = object(required, optional);
    return listOr(list(one, 1, rows), one);
  };
  interface Input extends Common {
    readonly input: string | readonly string[];
  }
  return {
    embed: route<Input & { readonly encoding_format?: "float" | "base64" }, string, Float32Array>({
      path: "/v1/embeddings",
      about: "Vectors of length 1: the dot product of two is the cosine of their angle.",
      question: embedding,
      body: object(
        { input: oneOrMore },
        { ...common, encoding_format: oneOf("float", "base64") },
      ),
      inputs: ({ input }) => listed(input),
      name: nameOf,
      response: ({ encoding_format: format }, vectors) => ({
        object: "list",
        data: vectors.map((vector, index) => ({
          object: "embedding",
          index,
          embedding: format === "base64" ? base64(vector) : decimals(vector),
        })),
      }),
      schema: {
        object: { const: "list" },
        data: listOf(record({
          object: { const: "embedding" },
          index,
          embedding: {
            anyOf: [numbers, { type: "string", contentEncoding: "base64" }],
            description: "With base64, numbers of f32, little-endian.",
          },
        })),
      },
    }),
    relevance: route<Shortlist & Common, Shortlist, readonly number[]>({
      path: "/v1/relevance",
      about: "How well titles fit a query, by what was learnt from clicks; greater is better.",
      question: relevanceOf,
      body: object({ query: text, titles: texts }, common),
      inputs: ({ query, titles }) => [{ query, titles }],
      name: () => "",
      response: (_, [scores]) => forms.relevance.output(scores),
      schema: { scores: { ...numbers, description: "Of the titles, in their order." } },
    }),
    "fill-mask": route<
      Input & { readonly top?: number },
      Masked,
      ReturnType<typeof filledMask.answer>
    >({
      path: "/v1/fill-mask",
      about: `Guesses for each [MASK] in a text, the best first; ${GUESSES} without "top".`,
      question: filledMask,
      body: object({ input: oneOrMore }, { ...common, top: whole(1, MOST_GUESSES) }),
      inputs: ({ input, top = GUESSES }) => listed(input).map((text) => ({ text, top })),
      name: nameOf,
      response: (_, answers) => data(forms["fill-mask"], answers),
      schema: {
        data: listOf(record({
          index,
          masks: listOf(
            listOf(record({ token: { type: "string" }, probability: { type: "number" } })),
          ),
        })),
      },
    }),
    entities: route<Input, string, readonly Entity[]>({
      path: "/v1/entities",
      about: "Names in a text; start and end count characters (code points) from 0, end excluded.",
      question: entitiesIn,
      body: object({ input: oneOrMore }, common),
      inputs: ({ input }) => listed(input),
      name: nameOf,
      response: (_, answers) => data(forms.entities, answers),
      schema: {
        data: listOf(record({
          index,
          entities: listOf(record({ type: string, text: string, start: index, end: index })),
        })),
      },
    }),
    answer: route<Common & { readonly input: Asked | readonly Asked[] }, Asked, FoundAnswer | null>(
      {
        path: "/v1/answer",
        about: "The part of a context that answers a question; null where none can.",
        question: answerIn,
        body: object({ input: oneOrMoreOf({ question: text, context: text }) }, common) as never,
        inputs: ({ input }) => listed<Asked>(input as Asked),
        name: nameOf,
        response: (_, answers) => data(forms.answer, answers),
        schema: {
          data: listOf({
            type: "object",
            properties: {
              ...{ index, answer: { type: ["string", "null"] }, start: index, end: index },
              score: { type: "number" },
            },
            required: ["index", "answer"],
            additionalProperties: false,
          }),
        },
      },
    ),
    choose: route<Common & { readonly input: Choices | readonly Choices[] }, Choices, Chosen>({
      path: "/v1/choose",
      about: "One of some choices, for a question about a text, or for the #idiom# in it.",
      question: choiceOf,
      body: object({
        input: oneOrMoreOf({ text, choices: list(text, 2, choices) }, { question: text }),
      }, common) as never,
      inputs: ({ input }) => listed<Choices>(input as Choices),
      name: nameOf,
      response: (_, answers) => data(forms.choose, answers),
      schema: {
        data: listOf(record({ index, choice: string, place: index, probabilities: numbers })),
      },
    }),
    classify: route<
      Common & { readonly input: string | readonly TextOrPair[] },
      TextOrPair,
      ReturnType<typeof classified.answer>
    >({
      path: "/v1/classify",
      about: "The class of a text, or of a pair [first, second], and how probable each class is.",
      question: classified,
      body: object(
        { input: listOr(list(listOr(pairOf(text), text), 1, rows), text) },
        common,
      ) as never,
      inputs: ({ input }) => listed<TextOrPair>(input as TextOrPair),
      name: nameOf,
      response: (_, answers) => data(forms.classify, answers),
      schema: {
        data: listOf(record({
          index,
          label: { type: "string" },
          probabilities: { type: "object", additionalProperties: { type: "number" } },
        })),
      },
    }),
  };
}

/** What all responses to questions have. */
export const responseSchema = ({ schema }: AnyRoute): Schema =>
  record({
    model: { type: "string" },
    ...schema,
    usage: record({ prompt_tokens: { type: "integer" }, total_tokens: { type: "integer" } }),
  });
