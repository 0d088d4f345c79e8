/**
 * The options of `deno task pretrain`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { configurations } from "./config.ts";

const saved = "the run's config.json says it";

/** The command. */
export const pretrainCommand = {
  name: "pretrain",
  about: "Trains a masked language model on Chinese text.",
  options: {
    corpus: {
      type: "text",
      value: "FILE|DIR",
      help: "UTF-8 text to learn from: .txt, .text or .jsonl (without it: Chinese poems, 85 MB)",
    },
    vocab: { type: "text", value: "FILE", help: "a vocab.txt (without it one is built)" },
    config: {
      type: "text",
      value: "NAME|FILE",
      default: "motian-tiny",
      help: `${Object.keys(configurations).join(", ")} or a JSON file`,
    },
    device: {
      type: "choice",
      choices: ["auto", "webgpu", "cpu", "reference"],
      default: "auto",
      help: "auto takes a GPU where there is one, else cpu",
    },
    steps: { type: "whole", value: "N", min: 1, help: "how many steps (the configuration's)" },
    minutes: { type: "number", value: "N", help: "stop after so long, if steps are left" },
    seed: { type: "whole", value: "N", max: 2 ** 32 - 1, help: "of all that is random" },
    "eval-every": { type: "whole", value: "N", help: "steps between evaluations; 0 for none" },
    "checkpoint-every": {
      type: "whole",
      value: "N",
      help: "steps between checkpoints; 0 for none",
    },
    out: { type: "text", value: "DIR", help: "the run's folder (a new one under runs/)" },
    resume: { type: "flag", help: "go on with the run in --out DIR" },
    trace: {
      type: "text",
      value: "FILE",
      help: "profile some steps into a Chrome trace, and FILE.html",
    },
    "dry-run": { type: "flag", help: "print what the run would take, and run nothing" },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ["resume", "config", saved],
    ["resume", "corpus", saved],
    ["resume", "vocab", saved],
    ["resume", "seed", saved],
    ["dry-run", "trace", "a dry run has nothing to profile"],
    ["dry-run", "minutes", "a dry run takes seconds"],
  ],
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type PretrainOptions = OptionsOf<typeof pretrainCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function pretrainOptions(words: readonly string[]): PretrainOptions {
  const options = parseOptions(words, pretrainCommand);
  if (options.resume && options.out === undefined && !options.help) {
    throw new InputError("Cannot pretrain with --resume alone: say which run; add --out DIR");
  }
  return options;
}
