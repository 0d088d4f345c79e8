/**
 * The options of `deno task pretrain`.
 *
 * @module
 */
import { deviceOption } from "../cli/device_option.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { configurations } from "./config.ts";
import { HEARTBEAT } from "./patience.ts";

const saved = "the run's config.json says it";

/** The configuration where none is named. */
export const DEFAULT = "motian-tiny";

/** The command. */
export const pretrainCommand = {
  name: "pretrain",
  about: "Trains a masked language model on Chinese text.",
  options: {
    data: { type: "text", value: "DIR", help: "a packed corpus, as deno task data leaves it" },
    corpus: {
      type: "text",
      value: "FILE|DIR",
      help: "UTF-8 text to learn from: .txt, .text or .jsonl (without it: Chinese poems, 85 MB)",
    },
    vocab: { type: "text", value: "FILE", help: "a vocab.txt (without it one is built)" },
    config: {
      type: "text",
      value: "NAME|FILE",
      help: `${
        Object.keys(configurations).join(", ")
      } or a JSON file (${DEFAULT}, or that of --init)`,
    },
    init: {
      type: "text",
      value: "RUN|HF_DIR",
      help: "begin with a run's weights (the best, or one checkpoint's), or Hugging Face's",
    },
    general: {
      type: "text",
      value: "FILE|DIR",
      help: "with --init: measure on this text too, before and after",
    },
    set: {
      type: "list",
      value: "PATH=VALUE",
      help: "change one value of the configuration, as in model.layers=3; again and again",
    },
    synonyms: {
      type: "text",
      value: "FILE",
      help: "a table of synonyms, for mac and motian masks",
    },
    antonyms: { type: "text", value: "FILE", help: "pairs of words that are never synonyms" },
    phrases: { type: "text", value: "FILE|DIR", help: "phrases, for masks of phrases" },
    "skip-bad": {
      type: "flag",
      help: "count lines of these tables and of click logs that are wrong, and go on",
    },
    device: deviceOption,
    steps: { type: "whole", value: "N", min: 1, help: "how many steps (the configuration's)" },
    minutes: { type: "number", value: "N", help: "stop after so long, if steps are left" },
    seed: { type: "whole", value: "N", max: 2 ** 32 - 1, help: "of all that is random" },
    "eval-every": { type: "whole", value: "N", help: "steps between evaluations; 0 for none" },
    "checkpoint-every": {
      type: "whole",
      value: "N",
      help: "steps between checkpoints; 0 for none",
    },
    "keep-checkpoints": {
      type: "whole",
      value: "N",
      help: "newest checkpoints to keep beside the best; 0 for all",
    },
    out: { type: "text", value: "DIR", help: "the run's folder (a new one under runs/)" },
    resume: { type: "flag", help: "go on with the run in --out DIR" },
    trace: {
      type: "text",
      value: "FILE",
      help: "profile some steps into a Chrome trace, and FILE.html; of many processes, all they do",
    },
    metrics: {
      type: "text",
      value: "PORT|FILE",
      help: "the run in figures for Prometheus, on 127.0.0.1 or in a file",
    },
    tune: {
      type: "flag",
      help: "on webgpu, search for the fastest products; kept in .cache/matmul.json",
    },
    nproc: {
      type: "whole",
      value: "N",
      min: 1,
      max: 1024,
      help: "train by so many processes on this machine",
    },
    restarts: {
      type: "whole",
      value: "K",
      help: "with --nproc: how often to go on from the last checkpoint when a process has failed",
    },
    elastic: {
      type: "flag",
      help:
        "with --nproc: go on without a process that fails; --restarts newcomers take such places",
    },
    heartbeat: {
      type: "number",
      value: "S",
      min: 1,
      help: `with --elastic: leave out a process that is silent for so many seconds (${HEARTBEAT})`,
    },
    engine: {
      type: "choice",
      choices: ["ws", "mpi"],
      default: "ws",
      help: "what processes that mpiexec or srun has started sum by: sockets, or its own MPI",
    },
    configs: { type: "flag", help: "print the named configurations as a table, and run nothing" },
    "dry-run": { type: "flag", help: "print what the run would take, and run nothing" },
    json: { type: "flag", help: "one JSON object a line on standard output" },
  },
  conflicts: [
    ["resume", "config", saved],
    ["resume", "corpus", saved],
    ["resume", "vocab", saved],
    ["resume", "data", saved],
    ["resume", "set", saved],
    ["resume", "init", saved],
    ["resume", "general", saved],
    ["init", "vocab", "the weights have a vocabulary"],
    ["resume", "synonyms", saved],
    ["resume", "antonyms", saved],
    ["resume", "phrases", saved],
    ["data", "corpus", "both say what to learn from"],
    ["data", "vocab", "a packed corpus has its vocabulary"],
    ["resume", "seed", saved],
    ["dry-run", "trace", "a dry run has nothing to profile"],
    ["dry-run", "minutes", "a dry run takes seconds"],
    ["dry-run", "metrics", "a dry run takes seconds"],
    ["dry-run", "nproc", "a dry run plans one process"],
    ["elastic", "trace", "processes that come and go leave no trace of all"],
    ["elastic", "metrics", "a run's figures come from its first process, which may change"],
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
  if (options.tune && (options.device === "cpu" || options.device === "reference")) {
    throw new InputError(
      `Cannot pretrain with --tune on ${options.device}: only webgpu has products to choose from`,
    );
  }
  if (options.general !== undefined && options.init === undefined && !options.help) {
    throw new InputError(
      "Cannot pretrain with --general alone: it is measured before and after; add --init DIR",
    );
  }
  if (options.restarts !== undefined && options.nproc === undefined && !options.help) {
    throw new InputError(
      "Cannot pretrain with --restarts alone: it is for many processes; add --nproc N",
    );
  }
  if (options.elastic && options.nproc === undefined && !options.help) {
    throw new InputError(
      "Cannot pretrain with --elastic alone: it is for many processes; add --nproc N",
    );
  }
  if (options.heartbeat !== undefined && options.nproc !== undefined && !options.elastic) {
    throw new InputError(
      "Cannot pretrain with --heartbeat and --nproc alone: it is for processes that others go on without; add --elastic",
    );
  }
  if (options.engine === "mpi" && options.nproc !== undefined && !options.help) {
    throw new InputError(
      "Cannot pretrain with --engine mpi and --nproc: MPI starts its own processes; write mpiexec -n N deno task pretrain …, or deno task launch --mpi",
    );
  }
  if (options.resume && options.out === undefined && !options.help) {
    throw new InputError("Cannot pretrain with --resume alone: say which run; add --out DIR");
  }
  return options;
}
