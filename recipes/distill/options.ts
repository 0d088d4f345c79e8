/**
 * The options of `deno task distill`.
 *
 * @module
 */
import { deviceOption } from "../cli/device_option.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { tasks } from "../clue/tasks.ts";
import { lossNames } from "./distill_config.ts";

const saved = "the run's config.json says it";

/** The command. */
export const distillCommand = {
  name: "distill",
  about: "Teaches a small model what a large one knows: on text, or on a task.",
  options: {
    task: { type: "choice", choices: Object.keys(tasks), help: "learn a task, not text" },
    teacher: {
      type: "text",
      value: "RUN|DIR",
      help: "the run that is learnt from, its best checkpoint; on a task what clue --save left",
    },
    student: {
      type: "text",
      value: "JSON|FILE|RUN",
      help:
        'what the student\'s model has otherwise, as {"layers": 2, "width": 128}; on a task the run that it begins with',
    },
    data: {
      type: "text",
      value: "DIR",
      help: "a packed corpus of the teacher's vocabulary; on a task its files",
    },
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
    alpha: {
      type: "number",
      value: "A",
      max: 1,
      help: "on a task: what the teacher's answers count beside the right ones (0.7)",
    },
    set: {
      type: "list",
      value: "PATH=VALUE",
      help: "change one value of the student's configuration, as in data.batch=64; again and again",
    },
    steps: { type: "whole", value: "N", min: 1, help: "how many steps (the teacher's)" },
    minutes: { type: "number", value: "N", help: "stop after so long, if steps are left" },
    epochs: {
      type: "whole",
      value: "N",
      min: 1,
      help: "on a task: times that all is seen (the task's)",
    },
    batch: {
      type: "whole",
      value: "N",
      min: 1,
      help: "on a task: examples of a step (the task's)",
    },
    rate: { type: "number", value: "R", help: "on a task: highest learning rate (the task's)" },
    dropout: {
      type: "number",
      value: "P",
      max: 0.9,
      help: "on a task: share of dropped values (the task's)",
    },
    length: {
      type: "whole",
      value: "N",
      min: 8,
      help: "on a task: tokens of a row, at most (the teacher's)",
    },
    seed: { type: "whole", value: "N", max: 2 ** 31, help: "of all that is random" },
    out: {
      type: "text",
      value: "DIR",
      help: "the student's folder (on text a new one under runs/)",
    },
    resume: { type: "flag", help: "on text: go on with the distillation in --out DIR" },
    compare: {
      type: "flag",
      help: "on a task: learn nothing, put --student, of a task too, beside --teacher",
    },
    device: deviceOption,
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ...([
      "teacher",
      "student",
      "data",
      "corpus",
      "loss",
      "layer",
      "heads",
      "temperature",
      "set",
      "seed",
    ] as const)
      .map((name) => ["resume", name, saved] as const),
    ["data", "corpus", "both say what to learn on"],
  ],
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type DistillOptions = OptionsOf<typeof distillCommand>;

/** What only text has, and what only tasks have. */
const OF_TEXT = ["corpus", "loss", "layer", "heads", "steps", "minutes"] as const;
const OF_TASKS = ["alpha", "epochs", "batch", "rate", "dropout", "length"] as const;

/** What a comparison does not look at. */
const OF_LEARNING = [...OF_TASKS.filter((name) => name !== "length"), "seed", "out"] as const;

/** What must be given. */
function needed({ task, resume, compare }: DistillOptions): readonly (keyof DistillOptions)[] {
  if (task === undefined) return resume ? ["out"] : ["teacher", "student"];
  return ["data", "teacher", "student", ...compare ? [] : ["out"] as const];
}

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function distillOptions(words: readonly string[]): DistillOptions {
  const options = parseOptions(words, distillCommand);
  if (options.help) return options;
  const { task, compare, resume, set } = options;
  const given = (names: readonly (keyof DistillOptions)[]): string | undefined =>
    names.find((name) => options[name] !== undefined);
  const refuse = (why: string): never => {
    throw new InputError(`Cannot distil ${why}`);
  };
  const missing = needed(options).find((name) => options[name] === undefined);
  if (missing !== undefined) refuse(`without --${missing}; see --help`);
  if (task === undefined) {
    const other = compare ? "compare" : given(OF_TASKS);
    if (other !== undefined) {
      refuse(`on text with --${other}: it is for tasks; add --task or leave it out`);
    }
    if (!resume && options.data === undefined && options.corpus === undefined) {
      refuse("without text: give --data DIR or --corpus FILE|DIR");
    }
    return options;
  }
  const other = resume ? "resume" : set.length > 0 ? "set" : given(OF_TEXT);
  if (other !== undefined) refuse(`a task with --${other}: it is for text; leave it out`);
  const idle = compare ? given(OF_LEARNING) : undefined;
  if (idle !== undefined) refuse(`with --compare and --${idle}: nothing is learnt; leave it out`);
  return options;
}
