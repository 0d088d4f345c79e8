/**
 * The folder that a stage writes to: begun once, gone on with after any end, and closed when all is there.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { join, resolve, SEPARATOR } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { CorpusReport } from "./report.ts";
import { type CorpusInfo, corpusInfo, shardPath } from "./shards.ts";

/** Is one of two paths the other, or in it? */
function meet(a: string, b: string): boolean {
  const [x, y] = [resolve(a) + SEPARATOR, resolve(b) + SEPARATOR];
  return x.startsWith(y) || y.startsWith(x);
}

/**
 * Opens a folder for a stage: an empty or new one, or one that the same stage left off. Where the stage came to its end and all is
 * there, its report.
 *
 * @throws InputError where something else is in it, or it is in or around what is read.
 */
export async function openForStage(
  folder: string,
  stage: string,
  key: string,
  inputs: readonly string[],
): Promise<CorpusReport | undefined> {
  const input = inputs.find((path) => meet(path, folder));
  if (input !== undefined) {
    throw new InputError(`Cannot write ${folder}: ${input} is read; give an --out apart from it`);
  }
  const found = await corpusInfo(folder);
  const isSame = found?.stage === stage && found.key === key;
  if (found && isSame) return await isWhole(folder, found) ? found.report : undefined;
  const names = await namesIn(folder);
  // A stage that was killed at once, or refused its input, leaves no more than these.
  const other = names.find((name) => name !== "corpus.json" && name !== "corpus.json.part");
  if (other !== undefined) {
    const what = found
      ? `it holds the result of "${found.stage}" of other input or settings`
      : `${other} is in it`;
    throw new InputError(`Cannot write ${folder}: ${what}; give an empty or new --out`);
  }
  const info: CorpusInfo = { stage, key };
  await writeWhole(join(folder, "corpus.json"), JSON.stringify(info));
  return undefined;
}

/** What is in a folder, which is made where it is missing. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    await ensureDir(folder);
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  } catch (error) {
    throw new InputError(
      `Cannot write ${folder}: ${reasonOf(error)}; give a folder as --out`,
    );
  }
}

/** Is what every shard says of itself there? */
async function isWhole(folder: string, { shards }: CorpusInfo): Promise<boolean> {
  if (shards === undefined) return false;
  for (let i = 0; i < shards; i++) {
    if (!await Deno.stat(shardPath(folder, i, "json")).catch(() => undefined)) return false;
  }
  return true;
}

/** Says that a folder is whole. Gives its report. */
export async function closeStage(
  folder: string,
  info: CorpusInfo & { readonly report: CorpusReport },
): Promise<CorpusReport> {
  await writeWhole(join(folder, "corpus.json"), JSON.stringify(info, null, 2));
  return info.report;
}
