/**
 * Runs `deno task data` as a user does.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { kill } from "../kill.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

function command(folder: string, words: readonly string[]): Deno.Command {
  const permissions = ["--allow-read", "--allow-write", "--allow-env=TERM", "--allow-ffi"];
  const main = join(root, "recipes/corpus/main.ts"), config = join(root, "deno.json");
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "-c", config, ...permissions, main, ...words],
    cwd: folder,
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a step in a folder to its end. */
export async function data(folder: string, ...words: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await command(folder, words).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

async function entries(folder: string): Promise<number> {
  const names = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return names.length;
}

/** Runs a step and kills it once there are `more` more files in `out`; true if it was killed before it ended. */
export async function killed(
  folder: string,
  out: string,
  more: number,
  ...words: readonly string[]
): Promise<boolean> {
  const before = await entries(out);
  return await killedOnce(async () => await entries(out) >= before + more, folder, ...words);
}

/** Runs a step and kills it once something is so; true if it was killed before it ended. */
export async function killedOnce(
  isSo: () => boolean | Promise<boolean>,
  folder: string,
  ...words: readonly string[]
): Promise<boolean> {
  const child = command(folder, words).spawn(), ended = child.output();
  let isRunning = true;
  ended.then(() => isRunning = false);
  while (isRunning && !await isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
  if (isRunning) kill(child);
  const { success, signal, stderr } = await ended;
  if (success || signal === "SIGKILL") return !success;
  throw new Error(new TextDecoder().decode(stderr));
}

/** All files of a folder, by name. */
export async function contents(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const decoder = new TextDecoder("latin1");
  const read = async (name: string) =>
    [name, decoder.decode(await Deno.readFile(join(folder, name)))] as const;
  return Object.fromEntries(await Promise.all(names.sort().map(read)));
}
