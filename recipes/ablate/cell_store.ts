/**
 * Results on disk, a file a cell, named by a hash of all that the result depends on: no cell is trained twice.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { isRecord } from "../cli/schema.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { Cell } from "./plan.ts";

/** To be raised with every change after which the same configuration gives another result. */
const VERSION = 1;

/** What a cell gave. */
export interface CellResult {
  /** Perplexities by question; null where it is no number any more. A question that a scheme has no positions for is missing. */
  readonly values: Readonly<Record<string, number | null>>;
  /** Training loss: [step, loss]. */
  readonly curve: readonly (readonly [step: number, loss: number])[];
  readonly seconds: number;
  /** What it was trained on. */
  readonly device: string;
}

/** What is hashed of a file that a configuration names. */
async function contentOf(path: string | null): Promise<string | null> {
  return path && createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

/** The name of a cell's result: of its configuration, its questions and the corpus. Tables of masking count by what is in them. */
export async function cellKey(
  { config, questions }: Pick<Cell, "config" | "questions">,
  corpusKey: string,
): Promise<string> {
  const { name: _name, logEvery: _logEvery, mask, ...rest } = config;
  const synonyms = await contentOf(mask.synonyms);
  const all = [VERSION, corpusKey, { ...rest, mask: { ...mask, synonyms } }, questions];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 24);
}

/** Results in a folder. */
export interface CellStore {
  /** Undefined where there is none. */
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
      const { result }: { readonly result: CellResult } = JSON.parse(text);
      return isRecord(result) ? result : undefined;
    },
    async write(key, { ablation, variant, seed, config, questions }, result) {
      const said = { ablation, variant: variant.name, seed, result, questions, config };
      await writeWhole(pathOf(key), JSON.stringify(said, null, 1) + "\n");
    },
  };
}
