/**
 * The options of `deno task clue`.
 *
 * @module
 */
import { deviceOption } from "../cli/device_option.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { checkLearning, learningOptions } from "./learning/options.ts";
import { tasks } from "./tasks.ts";

/** The command. */
export const clueCommand = {
  name: "clue",
  about: "Fine-tunes a pretrained model on a task, judges it, and answers the test split.",
  options: {
    task: { type: "choice", choices: [...Object.keys(tasks), "all"], help: "what is learnt" },
    data: {
      type: "text",
      value: "DIR",
      help: "the task's files, or a folder of such folders by the tasks' names",
    },
    model: {
      type: "text",
      value: "RUN|HF_DIR",
      help: "a pretraining run (its best checkpoint), or a model in Hugging Face's layout",
    },
    scratch: { type: "flag", help: "take the model's sizes alone: what is pretraining worth?" },
    out: {
      type: "text",
      value: "DIR",
      help: "gets results, report.html, and answers to the test split",
    },
    save: {
      type: "text",
      value: "DIR",
      help:
        "where the best epoch of all seeds on dev is left as a model, for predict, serve and export",
    },
    split: {
      type: "list",
      value: "FILE",
      help:
        "split labelled files into train, dev and test by groups, leave them in --out, and stop",
    },
    download: {
      type: "flag",
      help: "bring the official archives into folders of --data, and stop",
    },
    mirror: {
      type: "text",
      value: "URL",
      help: "where --download finds the archives by their names instead",
    },
    check: {
      type: "text",
      value: "PATH",
      help:
        "name every fault in answers (a file, a folder, a zip) to the tests in --data, and stop",
    },
    results: {
      type: "list",
      value: "DIR",
      help:
        "show what earlier calls have left in their --out together, leave it in --out, and stop",
    },
    seeds: { type: "whole", value: "N", min: 1, default: 1, help: "how many, from --seed on" },
    seed: { type: "whole", value: "N", default: 1, max: 2 ** 31, help: "the first" },
    "train-examples": {
      type: "whole",
      value: "N",
      min: 1,
      help: "learn from so many of a task's examples at most (all): a curve over them, or a trial",
    },
    epochs: { type: "whole", value: "N", min: 1, help: "times that all is seen (the task's)" },
    batch: { type: "whole", value: "N", min: 1, help: "examples of a step (the task's)" },
    rate: { type: "number", value: "R", help: "highest learning rate (the task's)" },
    dropout: {
      type: "number",
      value: "P",
      max: 0.9,
      help: "share of dropped values (the task's)",
    },
    ...learningOptions,
    length: { type: "whole", value: "N", min: 8, help: "tokens of a row, at most (the task's)" },
    tasks: { type: "flag", help: "show the tasks and how each is learnt, and stop" },
    device: deviceOption,
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ["train-examples", "folds", "folds are of all that is labelled"],
    ["save", "folds", "one model is left, not that of every fold"],
    ["rate", "rates", "the one is to be chosen from the others"],
    ["batch", "batches", "the one is to be chosen from the others"],
  ],
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
  const needed = options.tasks || options.results.length > 0
    ? []
    : options.split.length > 0
    ? ["task", "out"]
    : options.check !== undefined || options.download
    ? ["task", "data"]
    : ["task", "data", "model"];
  for (const name of needed) {
    if (options[name as "task"] !== undefined) continue;
    throw new InputError(`Cannot clue without --${name}; see --help`);
  }
  if (options.split.length > 0 && options.task === "all") {
    throw new InputError("Cannot split files of all tasks: pass one with --task");
  }
  const { mirror } = options;
  if (mirror !== undefined && !options.download) {
    throw new InputError("Cannot clue with --mirror: it is for --download alone");
  }
  if (mirror !== undefined && !/^https?:\/\/./.test(URL.parse(mirror)?.href ?? "")) {
    throw new InputError(
      `Cannot clue with --mirror ${mirror}: it must be an address such as https://example.org/clue`,
    );
  }
  checkLearning(options);
  return options;
}
