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
  about: "Measures the links between processes, or says why the processes of a run failed.",
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
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ["net", "flight", "one measures, the other reads"],
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
  if (!options.help && !options.net && options.flight === undefined) {
    throw new InputError("Cannot doctor nothing: add --net --nproc N, or --flight DIR");
  }
  return options;
}
