/**
 * Files that belong together: "c3-{d,m}-dev.json" stands for c3-d-dev.json and c3-m-dev.json.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";

/** The files that a name stands for; most stand for themselves. */
export function pairedFiles(path: string): readonly string[] {
  const found = basename(path).match(/^(.*)\{(.+)\}(.*)$/);
  if (!found) return [path];
  const [, before, parts, after] = found;
  return parts!.split(",").map((part) => join(dirname(path), `${before}${part}${after}`));
}
