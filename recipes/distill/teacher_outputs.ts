/**
 * What a teacher answers to the units of a task, kept on disk: many students and many epochs learn from one pass.
 *
 * A file is named by a hash of all that its content depends on: the teacher's weights and sizes, the units, the kind of device. Deleting
 * it costs nothing but time.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ensureDir, exists } from "@std/fs";
import { join } from "@std/path";
import {
  type Device,
  fromArray,
  read,
  readSafetensors,
  type Tensor,
  writeSafetensors,
} from "../../core/mod.ts";
import type { Unit } from "../clue/unit.ts";

/** To be raised with every change after which the same teacher gives other answers. */
const FORMAT = 1;
const NAME = "outputs";

/** What answers depend on beside the units. */
export interface AnswersOf {
  /** Of the teacher's weights. */
  readonly sha256: string;
  /** The teacher's sizes, and its task. */
  readonly settings: object;
  readonly device: Device["kind"];
}

/** Where the answers to units are kept. */
export function outputsPath(folder: string, of: AnswersOf, units: readonly Unit[]): string {
  const hash = createHash("sha256").update(JSON.stringify([FORMAT, of]));
  for (const { rows } of units) hash.update(JSON.stringify(rows));
  return join(folder, `${hash.digest("hex").slice(0, 24)}.safetensors`);
}

/** What a file keeps: the answers, undefined where there is no file, or why it cannot be read. */
async function kept(
  path: string,
  count: number,
): Promise<readonly Float32Array[] | string | undefined> {
  if (!await exists(path)) return undefined;
  try {
    await using file = await readSafetensors(path);
    const entry = file.entries.get(NAME);
    if (entry?.dtype !== "f32" || entry.shape.length !== 2 || entry.shape[0] !== count) {
      return `it does not hold ${count} answers`;
    }
    const values = await read(await file.read(NAME) as Tensor), own = entry.shape[1]!;
    return Array.from(
      { length: count },
      (_, n) => Float32Array.from(values.subarray(n * own, (n + 1) * own)),
    );
  } catch (error) {
    return (error as Error).message;
  }
}

/** Answers to units: those that a folder keeps, or new ones, which it keeps then; they are equally long. `note` is told which. */
export async function teacherOutputs(
  folder: string,
  of: AnswersOf,
  units: readonly Unit[],
  answer: () => Promise<readonly Float32Array[]>,
  note: (line: string) => void,
): Promise<readonly Float32Array[]> {
  const path = outputsPath(folder, of, units), found = await kept(path, units.length);
  if (found !== undefined && typeof found !== "string") {
    note(`the teacher's answers to ${units.length} units are in ${path}`);
    return found;
  }
  if (found !== undefined) note(`${path} is not used (${found}): the teacher answers again`);
  const made = await answer(), L = made[0]!.length, all = new Float32Array(made.length * L);
  made.forEach((one, n) => all.set(one, n * L));
  await ensureDir(folder);
  await writeSafetensors(path, { [NAME]: fromArray(all, [made.length, L]) });
  return made;
}
