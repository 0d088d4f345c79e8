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

/** What the model of one seed answers to a task's tests. */
export interface SeedAnswers {
  readonly seed: number;
  /** Its score on the dev split. */
  readonly dev: number;
  readonly answers: Answers;
}

/** The seed with the best dev score, of equals the first: its answers are handed in. */
export function bestOf(all: readonly SeedAnswers[]): SeedAnswers | undefined {
  return all.reduce<SeedAnswers | undefined>(
    (best, one) => best && best.dev >= one.dev ? best : one,
    undefined,
  );
}

/** Leaves answers in a folder, under the names that they are handed in with. */
export async function writeAnswers(out: string, answers: Answers): Promise<void> {
  if (Object.keys(answers).length > 0) await ensureDir(out);
  for (const [name, lines] of Object.entries(answers)) {
    await writeWhole(join(out, name), textOf(lines));
  }
}

/** Leaves the best seed's answers in a folder, and where there are several seeds those of each in `seed-N` in it. */
export async function writeSeedAnswers(out: string, all: readonly SeedAnswers[]): Promise<void> {
  if (all.length > 1) {
    for (const { seed, answers } of all) await writeAnswers(join(out, `seed-${seed}`), answers);
  }
  await writeAnswers(out, bestOf(all)?.answers ?? {});
}

/** All answers in one archive. The same answers are the same bytes: no time of day is in it. */
export function zipOf(answers: Answers): Uint8Array {
  const bytes = Object.entries(answers).map(([name, lines]) =>
    [name, new TextEncoder().encode(textOf(lines))] as const
  );
  return zipSync(Object.fromEntries(bytes), { mtime: new Date(1980, 0, 1), level: 9 });
}
