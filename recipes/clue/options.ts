/**
 * The options of `deno task clue`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { tasks } from "./tasks.ts";

/** The command. */
export const clueCommand = {
  name: "clue",
  about: "Fine-tunes a pretrained model on a task, judges it, and answers the test split.",
  options: {
    task: { type: "choice", choices: Object.keys(tasks), help: "what is learnt" },
    data: { type: "text", value: "DIR", help: "the task's files" },
    model: { type: "text", value: "RUN", help: "a pretraining run; its best checkpoint is taken" },
    scratch: { type: "flag", help: "take the model's sizes alone: what is pretraining worth?" },
    out: { type: "text", value: "DIR", help: "where answers to the test split are left" },
    split: {
      type: "text",
      value: "FILE",
      help: "split a file into train, dev and test by groups, leave them in --out, and stop",
    },
    seeds: { type: "whole", value: "N", min: 1, default: 1, help: "how many, from --seed on" },
    seed: { type: "whole", value: "N", default: 1, max: 2 ** 31, help: "the first" },
    epochs: { type: "whole", value: "N", min: 1, help: "times that all is seen (the task's)" },
    batch: { type: "whole", value: "N", min: 1, help: "examples of a step (the task's)" },
    rate: { type: "number", value: "R", help: "highest learning rate (the task's)" },
    dropout: {
      type: "number",
      value: "P",
      max: 0.9,
      default: 0.1,
      help: "share of dropped values",
    },
    length: { type: "whole", value: "N", min: 8, help: "tokens of a row, at most (the task's)" },
    device: {
      type: "choice",
      choices: ["auto", "webgpu", "cpu", "reference"],
      default: "auto",
      help: "auto takes a GPU where there is one, else cpu",
    },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type ClueOptions = OptionsOf<typeof clueCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function clueOptions(words: readonly string[]): ClueOptions {
  const options = parseOptions(words, clueCommand);
  if (options.help) return options;
  const needed = options.split === undefined ? ["task", "data", "model"] : ["task", "out"];
  for (const name of needed) {
    if (options[name as "task"] !== undefined) continue;
    throw new InputError(`Cannot clue without --${name}; see --help`);
  }
  return options;
}
