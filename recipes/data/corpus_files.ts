/**
 * The files of a corpus.
 *
 * @module
 */
import { extname } from "@std/path";
import { walk } from "@std/fs";
import { InputError } from "../cli/input_error.ts";

/** What is read in a folder: plain text and JSON lines. A file named by itself may be called anything. */
export const CORPUS_EXTENSIONS = [".txt", ".text", ".jsonl"] as const;

/** A file and its size in bytes. */
export interface CorpusFile {
  readonly path: string;
  readonly bytes: number;
}

const HINT = "pass --corpus FILE|DIR with UTF-8 text";

/** `Deno.stat` with our words. */
async function statOf(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "no such file or folder"
      : (error as Error).message;
    throw new InputError(`Cannot read the corpus ${path}: ${why}; ${HINT}`);
  }
}

/**
 * The file `path`, or all text files in the folder `path` and below, sorted; hidden ones and links are passed over.
 *
 * @throws InputError where there is nothing to read, or nothing in it.
 */
export async function corpusFiles(path: string): Promise<readonly CorpusFile[]> {
  const { isDirectory, size } = await statOf(path);
  const files: CorpusFile[] = [];
  if (!isDirectory) files.push({ path, bytes: size });
  else {
    for await (const entry of walk(path, { includeDirs: false, includeSymlinks: false })) {
      if (/(^|[/\\])\.[^/\\.]/.test(entry.path.slice(path.length))) continue;
      if (!(CORPUS_EXTENSIONS as readonly string[]).includes(extname(entry.path))) continue;
      files.push({ path: entry.path, bytes: (await statOf(entry.path)).size });
    }
    if (files.length === 0) {
      const wanted = CORPUS_EXTENSIONS.join(", ");
      throw new InputError(`Cannot read the corpus ${path}: no ${wanted} file in it; ${HINT}`);
    }
  }
  if (files.every(({ bytes }) => bytes === 0)) {
    throw new InputError(`Cannot read the corpus ${path}: it is empty; ${HINT}`);
  }
  return files;
}
