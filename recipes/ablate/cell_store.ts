/**
 * Results on disk, a file a cell, named by a hash of all that the result depends on: no cell is trained twice.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { walk } from "@std/fs";
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { isRecord } from "../cli/schema.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import { type Cell, phasesOf } from "./plan.ts";

/** To be raised with every change after which the same configuration gives another result. */
const VERSION = 1;

/** What a cell gave. */
export interface CellResult {
  /** Answers by question; null where it is no number any more. A question that a scheme has no positions for is missing. */
  readonly values: Readonly<Record<string, number | null>>;
  /** Training loss: [step, loss]. */
  readonly curve: readonly (readonly [step: number, loss: number])[];
  readonly seconds: number;
  /** What it was trained on. */
  readonly device: string;
}

/**
 * A hash of a file's content, or of all files' of a folder; null for none.
 *
 * @throws InputError where it cannot be read.
 */
export async function contentHash(path: string | null): Promise<string | null> {
  if (path === null) return null;
  const hash = createHash("sha256");
  try {
    const isFile = (await Deno.stat(path)).isFile, files = isFile ? [path] : [];
    if (!isFile) {
      for await (const file of walk(path, { includeDirs: false })) files.push(file.path);
    }
    for (const file of files.sort()) {
      hash.update(`\0${file.slice(path.length)}\0`).update(await Deno.readFile(file));
    }
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${reasonOf(error)}`);
  }
  return hash.digest("hex");
}

/** What a configuration says of the result. Files count by what is in them. */
async function resultOf(
  { name: _name, logEvery: _logEvery, mask, click, ...rest }: PretrainConfig,
) {
  const log = click && click.log !== "simulated" ? click.log : null;
  const [synonyms, antonyms, phrases, clicks] = await Promise.all(
    [mask.synonyms, mask.antonyms, mask.phrases, log].map(contentHash),
  );
  const tables = { ...mask, synonyms, antonyms, phrases };
  return { ...rest, mask: tables, click: click && { ...click, log: clicks } };
}

/** The name of a cell's result: of its configurations, its questions and the corpus. */
export async function cellKey(
  cell: Pick<Cell, "config" | "finish" | "questions">,
  corpusKey: string,
): Promise<string> {
  const phases = await Promise.all(phasesOf(cell).map(resultOf));
  const all = [VERSION, corpusKey, phases, cell.questions];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 24);
}

/** Results in a folder. */
export interface CellStore {
  /**
   * Undefined where there is none.
   *
   * @throws InputError where a file of that name holds something else.
   */
  read(key: string): Promise<CellResult | undefined>;
  write(key: string, cell: Cell, result: CellResult): Promise<void>;
}

/** Opens the results of a folder, which exists. */
export function cellStore(folder: string): CellStore {
  const pathOf = (key: string): string => join(folder, `${key}.json`);
  return {
    async read(key) {
      let text: string;
      try {
        text = await Deno.readTextFile(pathOf(key));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
      const spoilt = new InputError(`Cannot use ${pathOf(key)}: it holds no result; delete it`);
      let saved: unknown;
      try {
        saved = JSON.parse(text);
      } catch {
        throw spoilt;
      }
      if (!isRecord(saved) || !isRecord(saved.result)) throw spoilt;
      return saved.result as unknown as CellResult;
    },
    async write(key, { ablation, variant, seed, config, finish, questions }, result) {
      const said = { ablation, variant: variant.name, seed, result, questions, config, finish };
      await writeWhole(pathOf(key), JSON.stringify(said, null, 1) + "\n");
    },
  };
}
