/**
 * The options of `deno task convert`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";

/** The command. */
export const convertCommand = {
  name: "convert",
  about:
    "Writes a run's model in Hugging Face's layout, or such a model as a run; or either, or a fine-tuned one, in one byte a weight.",
  options: {
    from: {
      type: "text",
      value: "DIR",
      help:
        "a run (its best checkpoint), a checkpoint's folder, a model of the other layout, or with --int8 what clue --save left",
    },
    to: {
      type: "text",
      value: "DIR",
      help:
        "a new folder, in the layout that --from is not in; a fine-tuned model stays in its own",
    },
    names: {
      type: "choice",
      choices: ["bert", "roberta"],
      help: "of the tensors, from a run (bert; what BERT cannot express has names of ours)",
    },
    int8: {
      type: "flag",
      help: "weights in one byte: a quarter of the size, read everywhere here; says what it costs",
    },
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type ConvertOptions = OptionsOf<typeof convertCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function convertOptions(words: readonly string[]): ConvertOptions {
  const options = parseOptions(words, convertCommand);
  if (options.help) return options;
  for (const name of ["from", "to"] as const) {
    if (options[name] !== undefined) continue;
    throw new InputError(`Cannot convert without --${name}; see --help`);
  }
  return options;
}
