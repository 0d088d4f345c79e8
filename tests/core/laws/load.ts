/**
 * The laws that the files of core/ops export: whatever is there is held, with no list to keep.
 *
 * @module
 */
import { walk } from "@std/fs";
import type { Law } from "../../../core/ops/law.ts";

const isLaw = (x: unknown): x is Law =>
  typeof x === "object" && x !== null && "law" in x && "draw" in x;

/** Every law, with the file that exports it, by name. */
export async function loadLaws(): Promise<readonly (readonly [file: string, law: Law])[]> {
  const folder = new URL("../../../core/ops/", import.meta.url).pathname;
  const found: [string, Law][] = [];
  for await (const { path, name } of walk(folder, { exts: [".ts"], includeDirs: false })) {
    if (name === "mod.ts") continue;
    const exported: Record<string, unknown> = await import(path);
    for (const law of Object.values(exported)) if (isLaw(law)) found.push([name, law]);
  }
  return found.sort(([, a], [, b]) => a.law < b.law ? -1 : 1);
}
