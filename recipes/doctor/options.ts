/**
 * The options of `deno task doctor`.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";

/** The command. */
export const doctorCommand = {
  name: "doctor",
  about:
    "Says what this machine has, measures the links between processes, or says why those of a run failed.",
  options: {
    net: { type: "flag", help: "bandwidth, round trips and clocks between every two processes" },
    nproc: {
      type: "whole",
      value: "N",
      min: 2,
      max: 1024,
      help: "with --net: that many processes here; without, those that launch, mpiexec … started",
    },
    "at-once": {
      type: "flag",
      help: "with --net: pairs that share no process at the same time, for many hosts",
    },
    flight: {
      type: "text",
      value: "DIR",
      help: "a run's folder: puts what its processes left when they failed side by side",
    },
    model: {
      type: "text",
      value: "FILE",
      help: "what --net --json printed: what it foresees for 16 to 1,000 machines, as tables",
    },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ["net", "flight", "one measures, the other reads"],
    ["net", "model", "one measures, the other reads"],
    ["flight", "model", "they read different files"],
    ["json", "model", "tables are for people"],
    ["nproc", "model", "nothing is started to read"],
    ["nproc", "flight", "nothing is started to read"],
    ["at-once", "flight", "nothing is measured"],
  ],
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type DoctorOptions = OptionsOf<typeof doctorCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function doctorOptions(words: readonly string[]): DoctorOptions {
  const options = parseOptions(words, doctorCommand);
  const own = (["nproc", "at-once"] as const).find((name) => options[name]);
  if (!options.help && !options.net && own) {
    throw new InputError(`Cannot doctor with --${own} alone: it says how to measure; add --net`);
  }
  return options;
}
