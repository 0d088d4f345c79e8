/**
 * Where documents come from.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { corpusFiles } from "./corpus_files.ts";
import { readCorpus } from "./read_corpus.ts";

/** A corpus that can be read, and what identifies its content without reading it twice. */
export interface CorpusSource {
  /** What a person calls it. */
  readonly name: string;
  /** Its licence where we know it. */
  readonly licence?: string;
  /** Equal keys, equal documents. */
  readonly key: string;
  /** Should unknown characters be joined to new words? See `SegmentSettings`. */
  readonly newWords: boolean;
  /** The documents, in batches, always in the same order. */
  documents(): AsyncIterable<readonly string[]>;
}

/**
 * A file or a folder of the user's own. See `readCorpus`.
 *
 * @throws InputError where there is nothing to read.
 */
export async function fileCorpus(path: string): Promise<CorpusSource> {
  const hash = createHash("sha256");
  for (const file of await corpusFiles(path)) {
    hash.update(`\0${file.path.slice(path.length)}\0`);
    using opened = await Deno.open(file.path);
    for await (const bytes of opened.readable) hash.update(bytes);
  }
  return { name: path, key: hash.digest("hex"), newWords: true, documents: () => readCorpus(path) };
}
