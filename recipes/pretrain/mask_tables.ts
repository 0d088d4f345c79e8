/**
 * The tables that masking takes: phrases, synonyms, how often each token is.
 *
 * @module
 */
import { walk } from "@std/fs";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import type { MaskTables } from "../data/batches.ts";
import { readText } from "../data/read_text.ts";
import { tokenParts, type TokenStore } from "../data/token_store.ts";
import { readAntonyms } from "../masking/antonyms.ts";
import { phrasesOf } from "../masking/phrases.ts";
import { policies } from "../masking/policies.ts";
import { readSynonyms } from "../masking/read_synonyms.ts";
import { tokenizer } from "../text/tokenize.ts";
import type { Vocabulary } from "../text/vocabulary.ts";
import type { MaskConfig } from "./config.ts";

/** Tables, and in words what was read. */
export interface ReadTables {
  readonly tables: MaskTables;
  readonly notes: readonly string[];
}

/** How often each token is in a store. */
function countsOf(store: TokenStore, vocabulary: Vocabulary): Float64Array {
  const counts = new Float64Array(vocabulary.tokens.length);
  for (const { ids } of tokenParts(store)) for (const id of ids) counts[id]!++;
  return counts;
}

/** The first words of the lines of a file, or of all `.txt` files of a folder: `春暖花开 1234` is a phrase with its frequency. */
async function phraseLines(path: string): Promise<readonly string[]> {
  let isDirectory: boolean;
  try {
    ({ isDirectory } = await Deno.stat(path));
  } catch (error) {
    throw new InputError(`Cannot read the phrases ${path}: ${reasonOf(error)}`);
  }
  const files: string[] = isDirectory ? [] : [path];
  if (isDirectory) {
    for await (const entry of walk(path, { includeDirs: false, includeSymlinks: false })) {
      if (entry.path.endsWith(".txt")) files.push(entry.path);
    }
  }
  let all = "";
  for (const file of files) for await (const piece of readText(file)) all += piece;
  const found = all.split("\n").map((line) => line.trim().split(/\s/, 1)[0]!).filter(Boolean);
  if (found.length === 0) throw new InputError(`Cannot read the phrases ${path}: there are none`);
  return found;
}

/**
 * Reads what a configuration names.
 *
 * @throws InputError where a file cannot be read, or a line is wrong and `skipBad` is not set.
 */
export async function maskTables(
  mask: MaskConfig,
  store: TokenStore,
  vocabulary: Vocabulary,
  skipBad: boolean,
): Promise<ReadTables> {
  const tokens = tokenizer(vocabulary), notes: string[] = [], policy = policies[mask.policy];
  const counts = policy.draw === "unigram" || policy.synonym > 0
    ? countsOf(store, vocabulary)
    : undefined;
  let tables: MaskTables = counts ? { counts } : {};
  if (mask.units.phrase > 0) {
    const lines = await phraseLines(mask.phrases!);
    tables = { ...tables, phrases: phrasesOf(lines.map((line) => tokens.encode(line).ids)) };
    notes.push(`${lines.length} phrases`);
  }
  if (policy.synonym > 0) {
    const antonyms = mask.antonyms === null ? new Map() : await readAntonyms(mask.antonyms);
    // A word is about as frequent as its rarest character.
    const count = (word: readonly number[]): number => Math.min(...word.map((id) => counts![id]!));
    const read = await readSynonyms(mask.synonyms!, { tokens, antonyms, count, skipBad });
    tables = { ...tables, synonyms: read.synonyms };
    const { antonyms: opposite, unknown, unequal } = read.unused;
    const left = [
      [read.skipped, "lines skipped"],
      [opposite, "pairs are antonyms"],
      [unknown, "with characters that the vocabulary lacks"],
      [unequal, "of unequal lengths"],
    ] as const;
    const said = left.filter(([count]) => count > 0).map(([count, what]) => `, ${count} ${what}`);
    notes.push(`${read.synonyms.size} words with synonyms${said.join("")}`);
  }
  return { tables, notes };
}
