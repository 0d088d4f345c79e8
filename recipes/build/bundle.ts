/**
 * The library as one JavaScript file for browsers: `mod.ts`, with `nn` and `optim` as namespaces.
 *
 * @module
 */
import { build, stop } from "npm:esbuild@0.28.2";

const entry = `export * from "./mod.ts";
export * as nn from "./nn/mod.ts";
export * as optim from "./optim/mod.ts";
`;

/** Writes the bundle and gives its size in bytes. */
export async function bundle(outfile: string): Promise<number> {
  const root = new URL("../../", import.meta.url).pathname;
  try {
    await build({
      stdin: { contents: entry, resolveDir: root, loader: "ts" },
      outfile,
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2024",
      // Reached by dynamic import alone, behind a test for the runtime that has them.
      external: ["node:*"],
      tsconfigRaw: {},
      logLevel: "silent",
    });
  } finally {
    await stop();
  }
  return (await Deno.stat(outfile)).size;
}

/** Checks the library's types as a browser has them, with no `Deno` and no `node:` about. */
export async function checkForBrowsers(): Promise<boolean> {
  const at = (path: string): string => new URL(path, import.meta.url).pathname;
  const modules = ["../../mod.ts", "../../nn/mod.ts", "../../optim/mod.ts"].map(at);
  const args = ["check", "--quiet", "--config", at("browser.json"), ...modules];
  return (await new Deno.Command(Deno.execPath(), { args }).spawn().status).success;
}
