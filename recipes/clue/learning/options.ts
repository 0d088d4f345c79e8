/**
 * Options of `deno task clue` that say how a task is learnt.
 *
 * @module
 */
import { InputError } from "../../cli/input_error.ts";
import type { OptionsOf, parseOptions } from "../../cli/options.ts";

/** Rows of the command's table. */
export const learningOptions = {
  "class-weights": {
    type: "choice",
    choices: ["none", "balanced"],
    default: "none",
    help: "balanced: rare classes count as much as frequent ones in the loss",
  },
  "layer-decay": {
    type: "number",
    value: "D",
    max: 1,
    help: "factor on the rate from each block to the one below it (the task's; with --scratch 1)",
  },
  rdrop: {
    type: "number",
    value: "A",
    default: 0,
    help: "R-Drop: weight of the divergence of two passes with other dropout",
  },
  adversary: {
    type: "choice",
    choices: ["none", "fgm", "pgd"],
    default: "none",
    help: "learn from disturbed token embeddings too",
  },
  epsilon: { type: "number", value: "E", help: "norm of the disturbance (1)" },
  "adversary-steps": { type: "whole", value: "K", min: 1, help: "steps of pgd (3)" },
  average: {
    type: "whole",
    value: "K",
    min: 1,
    max: 20,
    default: 1,
    help: "the mean of the weights of the K best epochs answers, where that is better on dev",
  },
  ema: {
    type: "number",
    value: "D",
    max: 0.99999,
    default: 0,
    help: "judge a moving average of the weights that keeps D at each step, as 0.99",
  },
  folds: {
    type: "whole",
    value: "K",
    min: 2,
    max: 50,
    help: "learn from K folds of train and dev: K models answer the test together",
  },
  rates: {
    type: "text",
    value: "R,R",
    help: "rates to choose from on the dev split, as 1e-4,3e-4",
  },
  batches: { type: "text", value: "N,N", help: "batches to choose from, each with each rate" },
  patience: {
    type: "whole",
    value: "N",
    min: 1,
    help: "stop after so many epochs without a better dev score (never)",
  },
} as const satisfies Parameters<typeof parseOptions>[1]["options"];

/** Their values in one call. */
export type LearningOptions = OptionsOf<
  { readonly name: "clue"; readonly about: ""; readonly options: typeof learningOptions }
>;

/**
 * The numbers of a list with commas between them; undefined where none is given.
 *
 * @throws InputError
 */
export function numbersOf(
  name: "rates" | "batches",
  text: string | undefined,
): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new InputError(`Cannot clue with --${name} ${text}: ${why}`);
  };
  const numbers = text.split(",").map((word) => word.trim() === "" ? NaN : Number(word));
  const whole = name === "batches";
  if (!numbers.every((x) => x > 0 && (whole ? Number.isSafeInteger(x) : Number.isFinite(x)))) {
    refuse(`it must be ${whole ? "whole " : ""}numbers above 0, with commas between them`);
  }
  const twice = numbers.find((x, i) => numbers.indexOf(x) < i);
  if (twice !== undefined) refuse(`${twice} is there twice`);
  return numbers;
}

/**
 * Refuses options that go with no other given.
 *
 * @throws InputError
 */
export function checkLearning(
  options: LearningOptions & Readonly<Record<"dropout" | "epochs", number | undefined>>,
): void {
  numbersOf("rates", options.rates);
  numbersOf("batches", options.batches);
  const { adversary, epsilon, "adversary-steps": steps, rdrop } = options;
  const odd = epsilon !== undefined && adversary === "none"
    ? "--epsilon without --adversary: nothing is disturbed"
    : epsilon === 0
    ? "--epsilon 0: it must be above 0"
    : steps !== undefined && adversary !== "pgd"
    ? "--adversary-steps without --adversary pgd: no other takes steps"
    : rdrop > 0 && options.dropout === 0
    ? "--rdrop and --dropout 0: two passes without dropout are the same"
    : options.average > 1 && options.epochs === 1
    ? "--average and --epochs 1: one epoch has no mean"
    : undefined;
  if (odd !== undefined) throw new InputError(`Cannot clue with ${odd}; see --help`);
}
