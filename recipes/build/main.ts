/**
 * `deno task build`: checks the library with a browser's types and bundles it.
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { dirname } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { runMain } from "../cli/main.ts";
import { helpText, parseOptions } from "../cli/options.ts";
import { bundle, checkForBrowsers } from "./bundle.ts";

const command = {
  name: "build",
  about: "Checks the library with a browser's types and bundles it.",
  options: {
    out: {
      type: "text",
      value: "FILE",
      default: "dist-browser/motian.js",
      help: "where to write",
    },
  },
} as const;

async function main(): Promise<number> {
  const { help, out } = parseOptions(Deno.args, command);
  if (help) {
    console.log(helpText(command));
    return 0;
  }
  await refuseUnwritable(out);
  if (!await checkForBrowsers()) return 1;
  const bytes = await bundle(out);
  console.log(`${out}: ${(bytes / 1024).toFixed(0)} KiB`);
  return 0;
}

async function refuseUnwritable(out: string): Promise<void> {
  const isFolder = await exists(out, { isDirectory: true }).catch(() => false);
  if (isFolder) throw new InputError(`Cannot write ${out}: it is a folder; pass --out FILE`);
  try {
    await ensureDir(dirname(out));
    (await Deno.open(out, { write: true, create: true })).close();
  } catch (error) {
    throw new InputError(`Cannot write ${out}: ${reasonOf(error)}; pass --out FILE`);
  }
}

if (import.meta.main) await runMain(main);
