/**
 * `deno task build`: checks the library with a browser's types and bundles it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { ensureDir, exists } from "@std/fs";
import { dirname } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { bundle, checkForBrowsers } from "./bundle.ts";

const help = `Bundles the library for browsers.

Usage: deno task build [--out FILE]

  --out FILE   where to write (default dist-browser/motian.js)
  --help       shows this`;

/** Runs the command and gives its exit code. */
async function build(words: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const { help: asked, out = "dist-browser/motian.js" } = parseArgs(words, {
    boolean: ["help"],
    string: ["out"],
    unknown: (arg) => (unknown.push(arg), false),
  });
  if (asked) {
    console.log(help);
    return 0;
  }
  if (unknown.length > 0) {
    throw new InputError(`Cannot build with ${unknown.join(" ")}: no such option; see --help`);
  }
  await refuseUnwritable(out);
  if (!await checkForBrowsers()) return 1;
  const bytes = await bundle(out);
  console.log(`${out}: ${(bytes / 1024).toFixed(0)} KiB`);
  return 0;
}

async function refuseUnwritable(out: string): Promise<void> {
  if (out === "" || await exists(out, { isDirectory: true }).catch(() => false)) {
    throw new InputError(`Cannot write "${out}": it is no file name; pass --out FILE`);
  }
  try {
    await ensureDir(dirname(out));
    (await Deno.open(out, { write: true, create: true })).close();
  } catch (error) {
    throw new InputError(`Cannot write "${out}": ${(error as Error).message}`);
  }
}

if (import.meta.main) {
  Deno.exit(
    await build(Deno.args).catch((error) => {
      if (!(error instanceof InputError)) throw error;
      console.error(error.message);
      return 2;
    }),
  );
}
