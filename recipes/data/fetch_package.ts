/**
 * Fetches a data package from the npm registry, when it is asked for and not before.
 *
 * @module
 */
import { dirname, fromFileUrl } from "@std/path";
import { InputError } from "../cli/input_error.ts";

/**
 * The folder of an npm package in Deno's cache, fetched if it is not there. `lock` is a Deno lock file: the package must
 * have the sha512 that it holds.
 *
 * Another Deno does it. What this program imports, its lock file records, and Deno fetches all that a lock file names
 * for everybody who only runs the tests. And Deno brings what its users have set up: registry, proxy, certificates.
 *
 * @throws InputError where the package cannot be had.
 */
export async function fetchPackage(specifier: string, lock: URL): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-config",
      "--no-prompt",
      "--allow-read",
      `--lock=${fromFileUrl(lock)}`,
      "--frozen",
      fromFileUrl(import.meta.resolve("./locate_package.ts")),
      specifier,
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) {
    return dirname(fromFileUrl(new TextDecoder().decode(stdout).trim()));
  }
  const why = reasonOf(new TextDecoder().decode(stderr));
  throw new InputError(
    `Cannot fetch npm:${specifier}: ${why}; check the network or the registry, or pass --corpus FILE|DIR`,
  );
}

/** The line of Deno's message that says why: the first cause if it lists causes, else the first line. */
function reasonOf(message: string): string {
  const lines = message.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const cause = lines.find((line) => line.startsWith("0: "));
  return (cause?.slice(3) ?? lines[0] ?? "Deno gave no reason").replace(/[.\s]+$/, "");
}
