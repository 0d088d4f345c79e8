/**
 * The options of `deno task predict`.
 *
 * @module
 */
import { deviceOption } from "../cli/device_option.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { GUESSES, MOST_GUESSES } from "./fill_mask.ts";
import { asks } from "./model_source.ts";

/** The command. */
export const predictCommand = {
  name: "predict",
  about:
    "Asks a model about every line of a file: vectors, relevance of titles, masked words, classes, names, answers, choices.",
  options: {
    model: {
      type: "text",
      value: "RUN",
      help: "a run, a checkpoint, a folder of BERT's, or what clue --save left",
    },
    kind: { type: "choice", choices: asks, help: "what is asked" },
    in: {
      type: "text",
      value: "FILE",
      help:
        "objects of JSON (.jsonl, .json) or texts (anything else), one a line; - is standard input",
    },
    out: {
      type: "text",
      value: "FILE",
      default: "-",
      help: "where answers go, an object of JSON for each line; - is standard output",
    },
    format: { type: "choice", choices: ["jsonl", "txt"], help: "what --in is, whatever its name" },
    top: {
      type: "whole",
      value: "N",
      min: 1,
      max: MOST_GUESSES,
      default: GUESSES,
      help: "guesses for each [MASK]",
    },
    "max-tokens": {
      type: "whole",
      value: "N",
      min: 8,
      help: "of a text with its [CLS] and [SEP] (512, or what a fine-tuned model learnt from)",
    },
    truncate: { type: "flag", help: "cut texts that are too long instead of refusing them" },
    "skip-bad": {
      type: "flag",
      help: 'answer lines that cannot be read by {"error"}, count them, and go on',
    },
    device: deviceOption,
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type PredictOptions = OptionsOf<typeof predictCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function predictOptions(words: readonly string[]): PredictOptions {
  const options = parseOptions(words, predictCommand);
  if (options.help) return options;
  for (const name of ["model", "kind", "in"] as const) {
    if (options[name] === undefined) {
      throw new InputError(`Cannot predict without --${name}; see --help`);
    }
  }
  return options;
}
