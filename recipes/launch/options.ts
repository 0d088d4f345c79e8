/**
 * The options of `deno task launch`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";

/** The command. */
export const launchCommand = {
  name: "launch",
  about:
    "Runs a task, or any command, as many processes that find each other: launch --nproc 2 -- TASK …",
  options: {
    nproc: { type: "whole", value: "N", min: 1, max: 1024, help: "how many processes" },
    restarts: {
      type: "whole",
      value: "K",
      default: 0,
      help: "how often all are started again when one has failed",
    },
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** One call: options, and the command behind `--`. */
export type LaunchCall = OptionsOf<typeof launchCommand> & { readonly words: readonly string[] };

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function launchOptions(all: readonly string[]): LaunchCall {
  const at = all.indexOf("--"), before = at < 0 ? all : all.slice(0, at);
  const options = parseOptions(before, launchCommand), words = at < 0 ? [] : all.slice(at + 1);
  if (options.help) return { ...options, words };
  if (options.nproc === undefined) {
    throw new InputError("Cannot launch without --nproc N: say how many processes");
  }
  if (words.length === 0) {
    throw new InputError("Cannot launch nothing: write -- and a task or a command behind it");
  }
  return { ...options, words };
}
