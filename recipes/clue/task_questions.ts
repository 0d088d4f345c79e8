/**
 * What a fine-tuned model is asked about texts that stand in no file of its task.
 *
 * @module
 */
import type { Tokenizer } from "../text/tokenize.ts";
import type { Row } from "./unit.ts";

/** A name in a text. */
export interface Entity {
  readonly type: string;
  readonly text: string;
  /** Where it begins, and where what follows it does. Units: characters (code points), from 0. */
  readonly start: number;
  readonly end: number;
}

/** A question about a text. */
export interface Asked {
  readonly question: string;
  readonly context: string;
}

/** The part of the text that answers it. */
export interface FoundAnswer {
  readonly answer: string;
  /** As those of an entity. */
  readonly start: number;
  readonly end: number;
  /** Of the start and the end together, before any softmax: greater is surer. Units: nats. */
  readonly score: number;
}

/** What is to be chosen from. */
export interface Choices {
  readonly text: string;
  /** Undefined where the text has a blank instead. */
  readonly question?: string;
  readonly choices: readonly string[];
}

/** The choice, its place in their list from 0, and how probable each is. */
export interface Chosen {
  readonly choice: string;
  readonly place: number;
  readonly probabilities: readonly number[];
}

/** How texts that are too long are read. */
export interface RowRoom {
  readonly tokenizer: Tokenizer;
  /** Tokens of a row at most. */
  readonly length: number;
  /** Refuses the input, unless texts may be cut. */
  readonly refuseLong: (what: string, tokens: number, most: number) => void;
  /** Refuses it anyway. */
  readonly refuse: (why: string) => never;
}

/** A question with input I and answer A; `outputs` are those of its rows. */
export interface TaskQuestion<I, A> {
  readonly rows: (input: I, room: RowRoom) => readonly Row[];
  readonly answer: (
    input: I,
    outputs: readonly Float32Array[],
    room: Pick<RowRoom, "tokenizer" | "length">,
  ) => A;
}

/** The one question that a task answers, if it is none about classes. */
export interface TaskQuestions {
  readonly entities?: TaskQuestion<string, readonly Entity[]>;
  /** The answer is null where no part of the text can be one. */
  readonly answer?: TaskQuestion<Asked, FoundAnswer | null>;
  readonly choose?: TaskQuestion<Choices, Chosen>;
}

/** The number of characters before a place. Units: UTF-16 -> code points. */
export const charactersBefore = (text: string, at: number): number =>
  Array.from(text.slice(0, at)).length;

/** The choice in scores of all. */
export function chosenOf({ choices }: Choices, outputs: readonly Float32Array[]): Chosen {
  const scores = outputs.slice(0, choices.length).map(([score]) => score!);
  const top = Math.max(...scores), parts = scores.map((score) => Math.exp(score - top));
  const total = parts.reduce((sum, part) => sum + part, 0), place = scores.indexOf(top);
  return { choice: choices[place]!, place, probabilities: parts.map((part) => part / total) };
}
