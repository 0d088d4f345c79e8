/**
 * Rows of tokens that a model is to read, and how they are refused.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type Row as Tokens, rowOf } from "../clue/unit.ts";
import type { Facts } from "./model_source.ts";

/** A row on its way to the model. */
export interface Row extends Tokens {
  /** Places whose tokens are to be guessed, and how many guesses each. */
  readonly masks?: { readonly places: readonly number[]; readonly top: number };
}

/** How a text is read. */
export interface Reading {
  /** Texts that are too long lose their ends; else they are refused. */
  readonly truncate: boolean;
  /** What the text is called in messages. */
  readonly name: string;
}

/** Refuses a text. */
export function refuse(name: string, why: string): never {
  throw new InputError(`Cannot read ${name}: ${why}`);
}

/** Refuses a row of too many tokens, unless it may be cut. */
export function refuseLong(count: number, { limit }: Facts, { truncate, name }: Reading): void {
  if (truncate || count <= limit) return;
  refuse(
    name,
    `it has ${count} tokens with [CLS] and [SEP], the limit is ${limit}; shorten it, or ask for it to be cut (truncate)`,
  );
}

/**
 * A text or a pair as a row.
 *
 * @throws InputError where a text says nothing, or all are too long.
 */
export function textRow(facts: Facts, reading: Reading, first: string, second?: string): Row {
  const { tokenizer, limit } = facts;
  const whole = rowOf(tokenizer, Infinity, first, second), count = whole.ids.length;
  const parts = whole.segments.filter((segment) => segment === 1).length;
  const [a, b] = second === undefined ? [count - 2, 1] : [count - parts - 2, parts - 1];
  if (a === 0 || b === 0) refuse(reading.name, "it holds an empty text");
  refuseLong(count, facts, reading);
  return count <= limit ? whole : rowOf(tokenizer, limit, first, second);
}
