/**
 * Runs `deno task pretrain` as a user does, in a folder of its own.
 *
 * @module
 */
import { join } from "@std/path";
import { type Ended, type RunOptions, runRecipe } from "./recipe_command.ts";
import { smallCorpus } from "./small_corpus.ts";

/** A folder with a corpus and a configuration that trains in seconds. */
export interface Workplace {
  readonly folder: string;
  /** Runs the command with these words. */
  pretrain(words: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Objects of a file of JSON lines. */
  rows(path: string): Promise<readonly Readonly<Record<string, number>>[]>;
}

/** A configuration of one layer. */
export const toyConfig = {
  base: "motian-tiny",
  model: { layers: 1, width: 16, hidden: 32, dropout: 0.1 },
  data: { length: 24, batch: 8, microBatch: 4 },
  steps: 8,
  evalEvery: 4,
  evalSequences: 16,
  checkpointEvery: 3,
  logEvery: 1,
};

/** Clicks beside the text of that configuration. */
export const toyClick = {
  log: "simulated",
  loss: "listwise",
  docs: 4,
  length: 20,
  batch: 4,
  microBatch: 2,
  mlm: true,
  weights: "uncertainty",
  share: 1,
  clip: 10,
  heldOut: 0.1,
};

/** Runs a test in a workplace. */
export async function inWorkplace(test: (place: Workplace) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "corpus.txt"), smallCorpus(1000).join("\n"));
    await Deno.writeTextFile(join(folder, "toy.json"), JSON.stringify(toyConfig));
    await test({
      folder,
      pretrain: (words, options) => runRecipe("pretrain", folder, words, options),
      rows: async (path) => {
        const text = await Deno.readTextFile(join(folder, path));
        return text.trimEnd().split("\n").map((line) => JSON.parse(line));
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
