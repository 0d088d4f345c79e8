/**
 * `deno task build`: checks the library with a browser's types and bundles it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { bundle, checkForBrowsers } from "./bundle.ts";

const help = `Bundles the library for browsers.

Usage: deno task build [--out FILE]

  --out FILE   where to write (default dist-browser/motian.js)
  --help       shows this`;

async function main(): Promise<number> {
  const unknown: string[] = [];
  const args = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["out"],
    unknown: (arg) => unknown.push(arg) && false,
  });
  if (args.help) {
    console.log(help);
    return 0;
  }
  if (unknown.length > 0 || args.out === "") {
    console.error(`Cannot build with ${unknown.join(" ") || "an empty --out"}: see --help`);
    return 2;
  }
  const out = args.out ?? "dist-browser/motian.js";
  if (!await checkForBrowsers()) return 1;
  console.log(`${out}: ${((await bundle(out)) / 1024).toFixed(0)} KiB`);
  return 0;
}

if (import.meta.main) Deno.exit(await main());
