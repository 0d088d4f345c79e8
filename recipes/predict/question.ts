/**
 * What a question is: how its input becomes rows, and what their outputs mean. The same ones serve files, requests and programs.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type Ask, type Facts, whyNot } from "./model_source.ts";
import type { Reading, Row } from "./row.ts";

/** The outputs of rows, in their order. Computes rows of any number and lengths. */
export type Compute = (ask: Ask, rows: readonly Row[]) => Promise<readonly Float32Array[]>;

/** A question with input I and answer A. */
export interface Question<I, A> {
  readonly ask: Ask;
  /** @throws InputError where the input cannot be read. */
  readonly rows: (facts: Facts, input: I, reading: Reading) => readonly Row[];
  readonly answer: (facts: Facts, input: I, outputs: readonly Float32Array[]) => A;
}

/** What questions are put to. */
export interface Tools {
  readonly facts: Facts;
  readonly compute: Compute;
}

/** The rows of inputs, each input's own. Names of inputs are made by `name`. */
export function rowsOf<I, A>(
  { rows }: Question<I, A>,
  facts: Facts,
  inputs: readonly I[],
  truncate: boolean,
  name: (i: number) => string = (i) => `input[${i}]`,
): readonly (readonly Row[])[] {
  return inputs.map((input, i) => rows(facts, input, { truncate, name: name(i) }));
}

/** Answers to inputs whose rows are there. */
export async function answersTo<I, A>(
  { ask, answer }: Question<I, A>,
  { facts, compute }: Tools,
  inputs: readonly I[],
  rows: readonly (readonly Row[])[],
): Promise<readonly A[]> {
  const outputs = await compute(ask, rows.flat());
  let at = 0;
  return inputs.map((input, i) => answer(facts, input, outputs.slice(at, at += rows[i]!.length)));
}

/** How a question is put. */
export interface Asking {
  /** Cut texts that are too long instead of refusing them; false. */
  readonly truncate?: boolean;
}

/**
 * Puts a question about every input.
 *
 * @throws InputError where an input cannot be read, or the model cannot be asked so.
 */
export async function answers<I, A>(
  question: Question<I, A>,
  tools: Tools,
  inputs: readonly I[],
  { truncate = false }: Asking = {},
  name?: (i: number) => string,
): Promise<readonly A[]> {
  const why = whyNot(tools.facts, question.ask);
  if (why !== undefined) throw new InputError(why);
  return await answersTo(
    question,
    tools,
    inputs,
    rowsOf(question, tools.facts, inputs, truncate, name),
  );
}
