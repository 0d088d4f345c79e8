/**
 * The options of `deno task export`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { headNames } from "./heads.ts";

/** The command. */
export const exportCommand = {
  name: "export",
  about: "Writes a model as an ONNX file, which runs in Node, in browsers and elsewhere.",
  options: {
    model: {
      type: "text",
      value: "DIR",
      help: "a run, a checkpoint, a Hugging Face folder of BERT's, or what clue --save left",
    },
    out: { type: "text", value: "FILE", help: "the file, as model.onnx" },
    head: {
      type: "choice",
      choices: [...headNames, "task"],
      help:
        "scores of tokens, a text's vector, all hidden states, scores of titles, or a fine-tuned model's answers (mlm, or task where there is one)",
    },
    int8: { type: "flag", help: "weights in one byte: a quarter of the size; says what it costs" },
    length: {
      type: "whole",
      value: "N",
      min: 16,
      max: 8192,
      help: "tokens of a row, at most (512, or what the model has positions for)",
    },
    text: {
      type: "text",
      value: "FILE",
      help: "with --int8: also compare on the first 64 lines of this file",
    },
    json: { type: "flag", help: "one JSON object on standard output" },
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type ExportOptions = OptionsOf<typeof exportCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function exportOptions(words: readonly string[]): ExportOptions {
  const options = parseOptions(words, exportCommand);
  if (options.help) return options;
  for (const name of ["model", "out"] as const) {
    if (options[name] !== undefined) continue;
    throw new InputError(`Cannot export without --${name}; see --help`);
  }
  if (options.text !== undefined && !options.int8) {
    throw new InputError("Cannot compare on --text without --int8: nothing would differ");
  }
  return options;
}
