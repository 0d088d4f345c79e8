/**
 * The options of `deno task serve`.
 *
 * @module
 */
import { deviceOption } from "../cli/device_option.ts";
import { InputError } from "../cli/input_error.ts";
import { type OptionsOf, parseOptions } from "../cli/options.ts";
import { BATCH_LIMITS } from "../predict/batch.ts";
import type { Limits } from "./limits.ts";

/** The command. */
export const serveCommand = {
  name: "serve",
  about:
    "Answers over HTTP: vectors, relevance of titles, masked words, classes, names, answers, choices.",
  options: {
    model: {
      type: "text",
      value: "RUN",
      help: "a run, a checkpoint, a folder of BERT's, or what clue --save left",
    },
    port: {
      type: "whole",
      value: "N",
      max: 65535,
      default: 8000,
      help: "where it listens; 0 takes any that is free",
    },
    host: {
      type: "text",
      value: "ADDRESS",
      default: "127.0.0.1",
      help: "of which interface; 0.0.0.0 of all: it knows no passwords and no TLS",
    },
    device: deviceOption,
    "max-tokens": {
      type: "whole",
      value: "N",
      min: 8,
      help: "of a text with its [CLS] and [SEP] (512, or what a fine-tuned model learnt from)",
    },
    "max-rows": { type: "whole", value: "N", min: 1, default: 256, help: "texts of a request" },
    "max-body": {
      type: "whole",
      value: "BYTES",
      min: 64,
      default: 1 << 20,
      help: "of a request",
    },
    queue: {
      type: "whole",
      value: "N",
      min: 1,
      default: 2048,
      help: "texts that wait at most, of all requests; one of --max-rows must fit",
    },
    "batch-rows": {
      type: "whole",
      value: "N",
      min: 1,
      max: 1024,
      default: BATCH_LIMITS.rows,
      help: "texts computed at once, a power of two",
    },
    "batch-tokens": {
      type: "whole",
      value: "N",
      min: 16,
      default: BATCH_LIMITS.tokens,
      help: "tokens computed at once, padding included",
    },
    wait: {
      type: "number",
      value: "MS",
      max: 60_000,
      default: 0,
      help: "how long an idle model waits for more texts; while it computes they gather anyway",
    },
    timeout: {
      type: "number",
      value: "S",
      min: 0.1,
      max: 3600,
      default: 10,
      help: "how long a request may take to arrive, and an answer to be taken",
    },
    drain: {
      type: "number",
      value: "S",
      max: 3600,
      default: 10,
      help: "how long what waits may take after SIGTERM or Ctrl-C",
    },
  },
} as const satisfies Parameters<typeof parseOptions>[1];

/** The options of one call. */
export type ServeCommandOptions = OptionsOf<typeof serveCommand>;

/**
 * The options in a command line.
 *
 * @throws InputError
 */
export function serveOptions(words: readonly string[]): ServeCommandOptions {
  const options = parseOptions(words, serveCommand);
  if (options.help) return options;
  const fail = (why: string): never => {
    throw new InputError(`Cannot serve ${why}`);
  };
  if (options.model === undefined) fail("without --model; see --help");
  const { queue, "max-rows": rows, "batch-rows": batch } = options;
  if (queue < rows) {
    fail(`with --queue ${queue}: a request may have ${rows} texts; raise it, or lower --max-rows`);
  }
  if (!Number.isInteger(Math.log2(batch))) {
    fail(`with --batch-rows ${batch}: it must be a power of two`);
  }
  return options;
}

/** The limits that options ask for. Clients at once are not asked for: they cost little. */
export const limitsOf = (options: ServeCommandOptions): Limits => ({
  bodyBytes: options["max-body"],
  rows: options["max-rows"],
  queue: options.queue,
  batch: { rows: options["batch-rows"], tokens: options["batch-tokens"] },
  waitMs: options.wait,
  clientMs: options.timeout * 1000,
  drainMs: options.drain * 1000,
  connections: 4096,
});
