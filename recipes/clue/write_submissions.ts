/**
 * Writes answers to tests as they are handed in.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { zipSync } from "npm:fflate@0.8.3";
import { writeWhole } from "../run/write_whole.ts";

/** Lines of answers by the names of their files. */
export type Answers = Readonly<Record<string, readonly string[]>>;

const textOf = (lines: readonly string[]): string => lines.join("\n") + "\n";

/** Leaves answers in a folder; those of a seed that is not the first have it in their names. */
export async function writeAnswers(out: string, answers: Answers, seed?: number): Promise<void> {
  if (Object.keys(answers).length > 0) await ensureDir(out);
  for (const [name, lines] of Object.entries(answers)) {
    const own = seed === undefined ? name : name.replace(/\.json$/, `-${seed}.json`);
    await writeWhole(join(out, own), textOf(lines));
  }
}

/** All answers in one archive. The same answers are the same bytes: no time of day is in it. */
export function zipOf(answers: Answers): Uint8Array {
  const bytes = Object.entries(answers).map(([name, lines]) =>
    [name, new TextEncoder().encode(textOf(lines))] as const
  );
  return zipSync(Object.fromEntries(bytes), { mtime: new Date(1980, 0, 1), level: 9 });
}
