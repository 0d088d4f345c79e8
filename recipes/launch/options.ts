/**
 * The options of `deno task launch`.
 *
 * @module
 */
import type { Place } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { templateKinds } from "./template.ts";

/** Units: seconds, a century. */
const LONGEST = 3_155_760_000;

/** The command. */
export const launchCommand = {
  name: "launch",
  about:
    "Runs a task, or any command, as many processes that find each other: launch --nproc 2 -- TASK …",
  options: {
    nproc: {
      type: "whole",
      value: "N",
      min: 1,
      max: 1024,
      help: "how many processes, on each machine",
    },
    restarts: {
      type: "whole",
      value: "K",
      default: 0,
      help: "how often all are started again when one has failed",
    },
    nnodes: {
      type: "text",
      value: "N|MIN:MAX",
      help: "with --rdzv: on so many machines; a launcher is started on each",
    },
    rdzv: {
      type: "text",
      value: "HOST:PORT",
      help:
        "where the launchers meet; the one that can listen there leads (MOTIAN_TOKEN is needed)",
    },
    hosts: {
      type: "text",
      value: "FILE",
      help: "start the launchers by ssh: a host a line, with its number of processes",
    },
    ssh: { type: "text", value: "COMMAND", help: "with --hosts: what reaches a host (ssh)" },
    mpi: {
      type: "text",
      value: "COMMAND",
      help: "let this start them, as in mpiexec or srun: it is given -n N and the command",
    },
    template: {
      type: "choice",
      choices: templateKinds,
      help: "print what sbatch or kubectl apply takes to start the command, and run nothing",
    },
    name: { type: "text", value: "NAME", help: "with --template: of the job (motian)" },
    "make-token": {
      type: "whole",
      value: "SECONDS",
      min: 1,
      max: LONGEST,
      help: "print a token that is good for so long, and run nothing",
    },
  },
  conflicts: [
    ["mpi", "nnodes", "it starts processes on other machines itself"],
    ["mpi", "rdzv", "it starts processes on other machines itself"],
    ["mpi", "hosts", "it starts processes on other machines itself"],
    ["mpi", "template", "a template asks another to start processes"],
    ["hosts", "nnodes", "the file says how many machines there are"],
    ["template", "rdzv", "who is asked tells processes where they meet"],
    ["template", "hosts", "who is asked chooses the machines"],
  ],
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
  if (options.help || options["make-token"] !== undefined) return { ...options, words };
  const { nproc, nnodes, rdzv, hosts, template, name, ssh } = options;
  if (nproc === undefined && hosts === undefined) {
    throw new InputError("Cannot launch without --nproc N: say how many processes");
  }
  if (words.length === 0) {
    throw new InputError("Cannot launch nothing: write -- and a task or a command behind it");
  }
  const nodes = nnodes === undefined ? undefined : nodesOf(nnodes);
  if (template !== undefined && nodes && nodes.min < nodes.max) {
    throw new InputError(
      `Cannot launch with --template ${template} and --nnodes ${nnodes}: it must be one number of machines, as it is asked for before`,
    );
  }
  if (rdzv !== undefined) placeOf(rdzv);
  if (rdzv !== undefined && nnodes === undefined && hosts === undefined) {
    throw new InputError("Cannot launch with --rdzv alone: say how many machines; add --nnodes N");
  }
  if (nnodes !== undefined && rdzv === undefined && template === undefined) {
    throw new InputError(
      "Cannot launch with --nnodes alone: say where the launchers meet; add --rdzv HOST:PORT",
    );
  }
  for (const [given, option, other] of [[name, "name", "template"], [ssh, "ssh", "hosts"]]) {
    if (given !== undefined && options[other as "template" | "hosts"] === undefined) {
      throw new InputError(`Cannot launch with --${option} alone: it is for --${other}`);
    }
  }
  return { ...options, words };
}

/** Machines that are needed, and that there may be. @throws InputError */
export function nodesOf(text: string): { readonly min: number; readonly max: number } {
  const [, least, most = least] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? [];
  const min = Number(least), max = Number(most);
  if (min >= 1 && max >= min) return { min, max };
  throw new InputError(
    `Cannot launch with --nnodes ${text}: it must be a number of machines, or the least and the most, as in 2:4`,
  );
}

/** @throws InputError */
export function placeOf(text: string): Place {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^\s/:]+):(\d{1,5})$/.exec(text) ?? [];
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) {
    return { hostname: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  }
  throw new InputError(`Cannot launch with --rdzv ${text}: it must be like node1:29400`);
}
