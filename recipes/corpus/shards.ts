/**
 * A corpus on disk: a folder of numbered shards, each some documents of one source.
 *
 * `000012.jsonl` holds the documents, `{"text": "…"}` a line; `000012.json` says what they are and is written last: without it a
 * shard is not there. `corpus.json` says what made the folder, and whether it is whole.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { writeWhole } from "../run/write_whole.ts";
import type { CorpusReport } from "./report.ts";

/** What a shard says of itself; a stage adds its own figures. */
export interface ShardMeta {
  readonly index: number;
  readonly source: string;
  /** How often a document of it is seen in an epoch. */
  readonly weight: number;
  readonly documents: number;
  /** Units: UTF-16. */
  readonly characters: number;
}

/** What a folder says of itself. */
export interface CorpusInfo {
  /** The stage that made it. */
  readonly stage: string;
  /** What it was made from and how: a stage goes on in a folder with the same key only. */
  readonly key: string;
  /** Shards, once all are there. */
  readonly shards?: number;
  readonly report?: CorpusReport;
}

const nameOf = (index: number): string => String(index).padStart(6, "0");

/** The path of one file of a shard. */
export function shardPath(folder: string, index: number, extension: string): string {
  return join(folder, `${nameOf(index)}.${extension}`);
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) as T;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    if (error instanceof SyntaxError) return undefined; // a file that is not whole is not there
    throw error;
  }
}

/** What a folder says of itself, if it is one of ours. */
export function corpusInfo(folder: string): Promise<CorpusInfo | undefined> {
  return readJson(join(folder, "corpus.json"));
}

/** What a shard says of itself, if it is there. */
export function shardMeta<M extends ShardMeta>(
  folder: string,
  index: number,
): Promise<M | undefined> {
  return readJson(shardPath(folder, index, "json"));
}

/** Leaves a shard: its files by extension, then what it says of itself. */
export async function writeShard(
  folder: string,
  meta: ShardMeta,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  for (const [extension, bytes] of Object.entries(files)) {
    await writeWhole(shardPath(folder, meta.index, extension), bytes);
  }
  await writeWhole(shardPath(folder, meta.index, "json"), JSON.stringify(meta));
}

/**
 * The shards of a folder that is whole.
 *
 * @throws InputError where the folder is none, or its stage did not come to its end.
 */
export async function wholeCorpus<M extends ShardMeta>(
  folder: string,
): Promise<{ readonly info: CorpusInfo; readonly shards: readonly M[] }> {
  const info = await corpusInfo(folder);
  if (!info) {
    throw new InputError(`Cannot read ${folder}: no corpus.json in it; make it with "clean"`);
  }
  if (info.shards === undefined) {
    throw new InputError(
      `Cannot read ${folder}: "${info.stage}" did not come to its end; run it again, it goes on where it stopped`,
    );
  }
  return { info, shards: await shardMetas<M>(folder, info.shards) };
}

/**
 * What so many shards say of themselves.
 *
 * @throws InputError where one is missing.
 */
export async function shardMetas<M extends ShardMeta>(
  folder: string,
  count: number,
): Promise<readonly M[]> {
  const found: M[] = [];
  for (let i = 0; i < count; i++) {
    const meta = await shardMeta<M>(folder, i);
    if (!meta) {
      throw new InputError(`Cannot read ${folder}: ${nameOf(i)}.json is missing; make it again`);
    }
    found.push(meta);
  }
  return found;
}

/**
 * The shards of a folder that is whole and holds text.
 *
 * @throws InputError where it is none.
 */
export async function wholeText(
  folder: string,
): Promise<{ readonly info: CorpusInfo; readonly shards: readonly ShardMeta[] }> {
  const whole = await wholeCorpus<ShardMeta>(folder);
  if (whole.info.stage !== "pack") return whole;
  throw new InputError(
    `Cannot read ${folder}: "pack" made tokens of its text; give the folder that was packed`,
  );
}

async function readShard(
  folder: string,
  index: number,
  extension: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const path = shardPath(folder, index, extension);
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${reasonOf(error)}; make ${folder} again`);
  }
}

/**
 * The bytes of a shard's documents.
 *
 * @throws InputError where they cannot be read.
 */
export function readDocuments(folder: string, index: number): Promise<Uint8Array<ArrayBuffer>> {
  return readShard(folder, index, "jsonl");
}

/**
 * The hashes of a shard's documents, two words each.
 *
 * @throws InputError where they cannot be read.
 */
export async function readHashes(folder: string, index: number): Promise<Uint32Array<ArrayBuffer>> {
  return new Uint32Array((await readShard(folder, index, "hash64")).buffer);
}

/**
 * The documents of a shard.
 *
 * @throws InputError where they cannot be read.
 */
export async function shardTexts(folder: string, index: number): Promise<readonly string[]> {
  const lines = new TextDecoder().decode(await readDocuments(folder, index)).split("\n");
  return lines.slice(0, -1).map((line) => (JSON.parse(line) as { text: string }).text);
}
