/**
 * Tests on the real text beside the repository, where it is there.
 *
 * @module
 */
import { skip } from "../skip.ts";

const root = new URL("../../../shared/data/", import.meta.url);

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}

/** Registers a test on files of `../shared/data`, given to it as paths; skipped, saying so, where one is absent. */
export function testOnShared(
  name: string,
  files: readonly string[],
  test: (...paths: string[]) => void | Promise<void>,
): void {
  const paths = files.map((file) => new URL(file, root).pathname);
  const absent = files.find((_, i) => !isThere(paths[i]!));
  if (absent !== undefined) skip(name, `no ${absent} in ../shared/data`);
  else Deno.test(name, () => test(...paths));
}
