/**
 * The options of `deno task bench`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";

/** The command. */
export const benchCommand = {
  name: "bench",
  about: "Measures this library on this machine, beside others where they are installed.",
  options: {
    filter: { type: "text", value: "WORD", help: "only rows whose name and size contain it" },
    device: {
      type: "choice",
      choices: ["all", "cpu", "cpu+blas", "webgpu"],
      default: "all",
      help: "what we are measured on",
    },
    peers: {
      type: "choice",
      choices: ["auto", "off"],
      default: "auto",
      help: "off: ours alone, which is enough for --save and --compare",
    },
    rounds: { type: "whole", value: "N", min: 1, default: 7, help: "turns of each side" },
    save: { type: "text", value: "FILE", help: "keep the rows as a baseline" },
    compare: {
      type: "text",
      value: "OLD NEW",
      help: "measure nothing: say what changed between two saved baselines",
    },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call; `compare` is the two files. */
export interface BenchOptions extends Omit<OptionsOf<typeof benchCommand>, "compare"> {
  readonly compare?: readonly [older: string, newer: string];
}

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function benchOptions(words: readonly string[]): BenchOptions {
  const at = words.indexOf("--compare"), files = at < 0 ? [] : words.slice(at + 1, at + 3);
  if (at >= 0 && (files.length < 2 || files.some((file) => file.startsWith("--")))) {
    throw new InputError(
      "Cannot bench with --compare: it needs two baselines; write --compare OLD NEW",
    );
  }
  const rest = at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 3)];
  const { compare: _, ...options } = parseOptions(rest, benchCommand);
  return { ...options, ...at >= 0 && { compare: [files[0]!, files[1]!] as const } };
}
