/**
 * `deno task pretrain --nproc N`: the same command as N processes on this machine.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { jobVariables } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";
import { launch, LAUNCHER } from "../launch/launch.ts";
import type { PretrainConfig } from "./config.ts";
import { checkSize, placeHere } from "./member.ts";
import type { PretrainOptions } from "./options.ts";

/** What a process may do: the task's own permissions. */
export const permissions: readonly string[] = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  `--allow-env=${["TERM", ...jobVariables, LAUNCHER].join(",")}`,
  "--allow-sys=systemMemoryInfo",
  "--allow-run",
  "--allow-ffi",
  // Jobs may span hosts: where a process listens and whom it asks, its place says.
  "--allow-net",
];

const OWN = /^--(nproc|restarts)(=.*)?$/;

/** Does this word of the command line ask for many processes? */
export const isNproc = (word: string): boolean => /^--nproc(=.*)?$/.test(word);

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
  const place = placeHere();
  if (place) {
    throw new InputError(
      `Cannot pretrain with --nproc as process ${place.rank} of ${place.size}: who started it says how many there are; leave --nproc out`,
    );
  }
  checkSize(nproc, config);
  const root = new URL("../../", import.meta.url),
    path = (name: string): string => fromFileUrl(new URL(name, root));
  const words = [...withoutOwn(Deno.args), ...asked === undefined ? ["--out", out] : []];
  return await launch({
    nproc,
    restarts,
    command: [
      Deno.execPath(),
      "run",
      "--quiet",
      ...permissions,
      `--config=${path("deno.json")}`,
      path("recipes/pretrain/main.ts"),
      ...words,
    ],
    first: "own",
    line: (rank, text) => console.error(`[${rank}] ${text}`),
    note: (line) => console.error(line),
  });
}
