/**
 * `deno task pretrain --nproc N`: the same command as N processes on this machine.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { jobVariables } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { launchElastic } from "../launch/elastic.ts";
import { FENCE } from "../launch/fence.ts";
import { launch, LAUNCHER, newJob } from "../launch/launch.ts";
import { placeHere } from "../launch/place_here.ts";
import { flightHint, hasFlights } from "../observe/flight.ts";
import type { PretrainConfig } from "./config.ts";
import { checkSize } from "./member.ts";
import type { PretrainOptions } from "./options.ts";

/** What a process may do: the task's own permissions. */
export const permissions: readonly string[] = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  `--allow-env=${["TERM", ...jobVariables, LAUNCHER, FENCE].join(",")}`,
  "--allow-sys=systemMemoryInfo",
  "--allow-run",
  "--allow-ffi",
  // Jobs may span hosts: where a process listens and whom it asks, its place says.
  "--allow-net",
];

const OWN = /^--(nproc|restarts)(=.*)?$/;

/**
 * Trains by `options.nproc` processes of which some may fail; gives the exit code. The configuration must allow it, and the run's folder
 * must be there.
 */
export async function launchElasticPretrain(
  options: PretrainOptions,
  out: string,
): Promise<number> {
  const { nproc = 1, restarts = 0, resume, json } = options;
  const own = [
    ...["--resume", "--out", out, "--device", options.device],
    ...options.minutes === undefined ? [] : ["--minutes", String(options.minutes)],
    ...options.heartbeat === undefined ? [] : ["--heartbeat", String(options.heartbeat)],
    ...options["skip-bad"] ? ["--skip-bad"] : [],
    ...options.tune ? ["--tune"] : [],
    ...json ? ["--json"] : [],
  ];
  // What a new run's configuration holds already, and a resumed one's does not.
  const changes = (["steps", "eval-every", "checkpoint-every", "keep-checkpoints"] as const)
    .flatMap((name) =>
      resume && options[name] !== undefined ? [`--${name}`, String(options[name])] : []
    );
  return await launchElastic({
    nproc,
    restarts,
    command: commandOf([...own, ...changes]),
    line(name, text, to) {
      if (to === "stdout") console.log(text);
      else console.error(`[${name}] ${text}`);
    },
    note: (line) => console.error(line),
  });
}

function commandOf(words: readonly string[]): readonly string[] {
  const root = new URL("../../", import.meta.url),
    path = (name: string): string => fromFileUrl(new URL(name, root));
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    ...permissions,
    `--config=${path("deno.json")}`,
    path("recipes/pretrain/main.ts"),
    ...words,
  ];
}

/** Does this word of the command line ask for many processes? */
export const isNproc = (word: string): boolean => /^--nproc(=.*)?$/.test(word);

/**
 * Refuses to start processes as one of many.
 *
 * @throws InputError
 */
export function refuseInside(): void {
  const place = placeHere();
  if (!place) return;
  throw new InputError(
    `Cannot pretrain with --nproc as process ${place.rank} of ${place.size}: who started it says how many there are; leave --nproc out`,
  );
}

/** A command line without what is the launcher's affair. */
export function withoutOwn(words: readonly string[]): readonly string[] {
  return words.filter((word, i) =>
    !OWN.test(word) && !(/^--(nproc|restarts)$/.test(words[i - 1] ?? ""))
  );
}

/**
 * Trains by `options.nproc` processes, the first of which speaks for all; gives the exit code.
 *
 * @throws InputError where this is a process of many already, or there are more than parts of a step
 */
export async function launchPretrain(
  { nproc = 1, restarts = 0, out: asked }: PretrainOptions,
  config: PretrainConfig,
  out: string,
): Promise<number> {
  refuseInside();
  checkSize(nproc, config);
  const words = [...withoutOwn(Deno.args), ...asked === undefined ? ["--out", out] : []];
  const job = newJob(), note = (line: string): void => console.error(line);
  const code = await launch({
    job,
    nproc,
    restarts,
    command: commandOf(words),
    first: "own",
    line: (rank, text) => console.error(`[${rank}] ${text}`),
    note,
  });
  // A rank says so too, where it has the time: the others are ended as soon as one has failed.
  if (code !== 0 && await hasFlights(out, job)) note(flightHint(out));
  return code;
}
