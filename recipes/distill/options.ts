/**
 * The options of `deno task distill`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { lossNames } from "./distill_config.ts";

const saved = "the run's config.json says it";

/** The command. */
export const distillCommand = {
  name: "distill",
  about: "Teaches a small model what a large one knows: on text, or on a task.",
  options: {
    teacher: {
      type: "text",
      value: "RUN",
      help: "the run that is learnt from: its best checkpoint",
    },
    student: {
      type: "text",
      value: "JSON|FILE",
      help: 'what the student\'s model has otherwise, as {"layers": 2, "width": 128}',
    },
    data: { type: "text", value: "DIR", help: "a packed corpus of the teacher's vocabulary" },
    corpus: { type: "text", value: "FILE|DIR", help: "UTF-8 text to learn on, instead of --data" },
    loss: {
      type: "text",
      value: "NAME[=WEIGHT],…",
      help: `${lossNames.join(", ")}, or several (minilm)`,
    },
    layer: {
      type: "whole",
      value: "N",
      min: 1,
      help: "minilm: the teacher's layer (its last; of 24 and more one of the upper middle)",
    },
    heads: {
      type: "whole",
      value: "N",
      min: 1,
      help: "minilm: relation heads, which divide both widths (16 wide in the teacher)",
    },
    temperature: { type: "number", value: "T", min: 0.01, default: 1, help: "of logits" },
    set: {
      type: "list",
      value: "PATH=VALUE",
      help: "change one value of the student's configuration, as in data.batch=64; again and again",
    },
    steps: { type: "whole", value: "N", min: 1, help: "how many steps (the teacher's)" },
    minutes: { type: "number", value: "N", help: "stop after so long, if steps are left" },
    seed: { type: "whole", value: "N", max: 2 ** 32 - 1, help: "of all that is random" },
    out: { type: "text", value: "DIR", help: "the student's folder (a new one under runs/)" },
    resume: { type: "flag", help: "go on with the distillation in --out DIR" },
    device: {
      type: "choice",
      choices: ["auto", "webgpu", "cpu", "reference"],
      default: "auto",
      help: "auto takes a GPU where there is one, else cpu",
    },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ...(["teacher", "student", "data", "corpus", "loss", "layer", "heads", "set", "seed"] as const)
      .map((name) => ["resume", name, saved] as const),
    ["data", "corpus", "both say what to learn on"],
  ],
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type DistillOptions = OptionsOf<typeof distillCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function distillOptions(words: readonly string[]): DistillOptions {
  const options = parseOptions(words, distillCommand);
  if (options.help) return options;
  for (const name of options.resume ? ["out"] as const : ["teacher", "student"] as const) {
    if (options[name] !== undefined) continue;
    throw new InputError(`Cannot distil without --${name}; see --help`);
  }
  if (!options.resume && options.data === undefined && options.corpus === undefined) {
    throw new InputError("Cannot distil without text: give --data DIR or --corpus FILE|DIR");
  }
  return options;
}
