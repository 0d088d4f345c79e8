/**
 * The options of `deno task ablate`.
 *
 * @module
 */
import { deviceOption } from "../cli/device_option.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { ablations } from "./ablations.ts";

/** The command. */
export const ablateCommand = {
  name: "ablate",
  about:
    "Trains small models that differ in one thing, and says which of the article's claims show.",
  options: {
    only: {
      type: "text",
      value: "NAME,…",
      help: `of ${ablations.map(({ name }) => name).join(", ")} (all)`,
    },
    seeds: { type: "whole", value: "N", min: 1, default: 2, help: "trainings of each variant" },
    steps: { type: "whole", value: "N", min: 1, default: 1200, help: "steps of each training" },
    minutes: {
      type: "number",
      value: "N",
      min: 0.1,
      help: "train for so long; call again to go on",
    },
    data: { type: "text", value: "DIR", help: "a packed corpus, as deno task data leaves it" },
    corpus: {
      type: "text",
      value: "FILE|DIR",
      help: "UTF-8 text: .txt, .text or .jsonl (without it: Chinese poems, 85 MB)",
    },
    synonyms: {
      type: "text",
      value: "FILE",
      help: "a table of synonyms, for the variants mac and motian of mask-policies",
    },
    phrases: {
      type: "text",
      value: "FILE|DIR",
      help: "phrases, one a line, for the variant phrase of mask-units",
    },
    clicks: {
      type: "text",
      value: "FILE",
      help: "a click log for clicks and task-weights (without it: SIMULATED clicks)",
    },
    "skip-bad": { type: "flag", help: "count lines of these files that are wrong, and go on" },
    set: {
      type: "list",
      value: "PATH=VALUE",
      help: "change the base of all variants, as in model.layers=4; again and again",
    },
    device: deviceOption,
    out: {
      type: "text",
      value: "DIR",
      default: "runs/ablate",
      help: "results and report.html; what is there is not trained again",
    },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [["data", "corpus", "both say what to learn from"]],
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type AblateOptions = OptionsOf<typeof ablateCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function ablateOptions(words: readonly string[]): AblateOptions {
  const options = parseOptions(words, ablateCommand);
  for (const change of options.set) {
    const path = change.split("=")[0]!.trim();
    if (path !== "seed" && path !== "steps") continue;
    const other = path === "seed" ? "--seeds" : "--steps";
    throw new InputError(`Cannot ablate with --set ${change}: ${path} is the plan's; use ${other}`);
  }
  return options;
}
