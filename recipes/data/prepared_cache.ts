/**
 * Keeps prepared corpora on disk, so that the second run on a corpus starts at once.
 *
 * One folder a corpus, named by a hash of what it was made from and how; it is written under another name and renamed
 * when it is whole. Deleting it costs nothing but time.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { ensureDir } from "@std/fs";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { formatVocabulary, vocabularyOf } from "../text/vocabulary.ts";
import { CLEAN_SETTINGS } from "./clean_document.ts";
import type { CorpusSource } from "./corpus_source.ts";
import {
  PREPARE_SETTINGS,
  prepareCorpus,
  type PreparedCorpus,
  type PrepareProgress,
  type PrepareReport,
  type PrepareSettings,
} from "./prepare_corpus.ts";
import { emptyStream, type TokenStream } from "./token_stream.ts";

/** To be raised with every change after which the same corpus gives other tokens. */
const FORMAT = 1;

interface Meta {
  readonly report: PrepareReport;
  readonly streams: { readonly [Name in "train" | "heldOut"]: { ids: number; documents: number } };
}

function keyOf(source: CorpusSource, settings: PrepareSettings): string {
  const { vocabulary, ...rest } = settings;
  const tokens = vocabulary &&
    createHash("sha256").update(formatVocabulary(vocabulary)).digest("hex");
  const all = [FORMAT, source.key, source.newWords, tokens ?? null, rest, CLEAN_SETTINGS];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 24);
}

/** The bytes of an array, where they are. */
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function writeStream(folder: string, name: string, stream: TokenStream): Promise<void> {
  await Deno.writeFile(join(folder, `${name}.ids`), bytesOf(stream.ids));
  await Deno.writeFile(join(folder, `${name}.starts`), stream.starts);
}

/** Fills `bytes` with a file; false where the file has another size. */
async function fill(path: string, bytes: Uint8Array): Promise<boolean> {
  using file = await Deno.open(path);
  if ((await file.stat()).size !== bytes.length) return false;
  for (let at = 0; at < bytes.length;) {
    const got = await file.read(bytes.subarray(at));
    if (got === null) return false;
    at += got;
  }
  return true;
}

async function readStream(
  folder: string,
  name: "train" | "heldOut",
  vocabularySize: number,
  { streams }: Meta,
): Promise<TokenStream | undefined> {
  const { ids: length, documents } = streams[name];
  const { ids, starts } = emptyStream(vocabularySize, length);
  const whole = await fill(join(folder, `${name}.ids`), bytesOf(ids)) &&
    await fill(join(folder, `${name}.starts`), starts);
  return whole ? { ids, starts, documents } : undefined;
}

/** The corpus in `folder`; undefined where there is none, or one that is not whole. */
async function load(folder: string): Promise<PreparedCorpus | undefined> {
  try {
    const meta: Meta = JSON.parse(await Deno.readTextFile(join(folder, "meta.json")));
    const lines = (await Deno.readTextFile(join(folder, "vocab.txt"))).split("\n").slice(0, -1);
    const vocabulary = vocabularyOf(lines, join(folder, "vocab.txt"));
    const train = await readStream(folder, "train", lines.length, meta);
    const heldOut = await readStream(folder, "heldOut", lines.length, meta);
    return train && heldOut && { vocabulary, train, heldOut, report: meta.report };
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
    throw error;
  }
}

async function save(root: string, folder: string, prepared: PreparedCorpus): Promise<void> {
  const { vocabulary, train, heldOut, report } = prepared;
  const made = await Deno.makeTempDir({ dir: root, prefix: "part-" });
  await writeStream(made, "train", train);
  await writeStream(made, "heldOut", heldOut);
  await Deno.writeTextFile(join(made, "vocab.txt"), formatVocabulary(vocabulary));
  const size = ({ ids, documents }: TokenStream) => ({ ids: ids.length, documents });
  const meta: Meta = { report, streams: { train: size(train), heldOut: size(heldOut) } };
  await Deno.writeTextFile(join(made, "meta.json"), JSON.stringify(meta, null, 2));
  await Deno.remove(folder, { recursive: true }).catch(() => {}); // one that is not whole
  await Deno.rename(made, folder).catch(async (error) => {
    await Deno.remove(made, { recursive: true });
    if (await load(folder) === undefined) throw error; // else another run was first: it made the same
  });
}

/**
 * A prepared corpus from the folder `cache`, or prepared now and put there. See `prepareCorpus`.
 *
 * @throws InputError where the corpus cannot be used, or `cache` cannot be written.
 */
export async function cachedCorpus(
  source: CorpusSource,
  cache: string,
  given: Partial<PrepareSettings> = {},
  progress?: PrepareProgress,
): Promise<PreparedCorpus> {
  const settings: PrepareSettings = { ...PREPARE_SETTINGS, ...given };
  const folder = join(cache, keyOf(source, settings));
  const found = await load(folder);
  if (found) return found;
  const unwritable = (error: Error): InputError =>
    new InputError(`Cannot write the cache ${cache}: ${reasonOf(error)}; make the folder writable`);
  try { // before the work, not after it
    await ensureDir(cache);
    await Deno.remove(await Deno.makeTempDir({ dir: cache, prefix: "part-" }));
  } catch (error) {
    throw unwritable(error as Error);
  }
  const prepared = await prepareCorpus(source, settings, progress);
  try {
    await save(cache, folder, prepared);
  } catch (error) {
    throw unwritable(error as Error);
  }
  return prepared;
}
