/**
 * Where raw text comes from: files and folders of several sources, each with a name.
 *
 * @module
 */
import { walk } from "@std/fs";
import { basename } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { type Check, isRecord, positive, record, text } from "../cli/schema.ts";

/** A part of a corpus that has a name: news, novels, questions. */
export interface Source {
  readonly name: string;
  readonly path: string;
  /** How often a document of it is seen in an epoch, on average. */
  readonly weight: number;
}

/** A file of a source. */
export interface SourceFile {
  readonly source: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was written last, in milliseconds: a step does not go on with what was changed. */
  readonly changed: number;
}

/** What is read in folders; in `.gz` and `.zst` files stands what their name says without that. */
const READ = /\.(txt|text|jsonl)(\.gz|\.zst)?$/;

const source: Check<Source> = record<Source>({ name: text, path: text, weight: positive });

const HINT = "pass --in FILE|DIR, or a .json file that lists sources";

async function statOf(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const why = missing ? "no such file or folder" : (error as Error).message;
    throw new InputError(`Cannot read ${path}: ${why}; ${HINT}`);
  }
}

async function fileOf(source: string, path: string): Promise<SourceFile> {
  const { size, mtime } = await statOf(path);
  return { source, path, bytes: size, changed: mtime?.getTime() ?? 0 };
}

/**
 * The sources that a person names: a file or a folder is one of weight 1, a `.json` file lists several as
 * `[{"name": "news", "path": "news/", "weight": 2}]`, with paths from where the command is run.
 *
 * @throws InputError where nothing is there, or the list is wrong.
 */
export async function sourcesOf(path: string): Promise<readonly Source[]> {
  if (!path.endsWith(".json")) return [{ name: basename(path), path, weight: 1 }];
  await statOf(path);
  let listed: unknown;
  try {
    listed = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new InputError(`Cannot use ${path}: it is no JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(listed) || listed.length === 0) {
    throw new InputError(
      `Cannot use ${path}: it must be a list such as [{"name": "news", "path": "news/", "weight": 2}]`,
    );
  }
  const sources = listed.map((entry: unknown, i): Source => {
    return source(isRecord(entry) ? { weight: 1, ...entry } : entry, {
      source: path,
      path: `[${i}]`,
    });
  });
  const twice = sources.find(({ name }, i) => sources.findIndex((s) => s.name === name) < i);
  if (twice) throw new InputError(`Cannot use ${path}: two sources are called "${twice.name}"`);
  return sources;
}

/**
 * All files of some sources, sorted within each; hidden ones and links are passed over.
 *
 * @throws InputError where a source has nothing to read.
 */
export async function sourceFiles(sources: readonly Source[]): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for (const { name: source, path } of sources) {
    const { isDirectory } = await statOf(path), before = files.length;
    if (!isDirectory) files.push(await fileOf(source, path));
    else {
      for await (const entry of walk(path, { includeDirs: false, includeSymlinks: false })) {
        if (/(^|[/\\])\.[^/\\.]/.test(entry.path.slice(path.length))) continue;
        if (!READ.test(entry.path)) continue;
        files.push(await fileOf(source, entry.path));
      }
    }
    if (files.slice(before).every(({ bytes }) => bytes === 0)) {
      throw new InputError(
        `Cannot read ${path}: no text in it; .txt and .jsonl files are read, also as .gz and .zst; ${HINT}`,
      );
    }
  }
  return files;
}
