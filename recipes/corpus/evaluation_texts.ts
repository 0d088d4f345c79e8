/**
 * The texts of evaluation sets, whatever their format.
 *
 * @module
 */
import { walk } from "@std/fs";
import { basename, join, relative, resolve } from "@std/path";
import { InputError } from "../cli/input_error.ts";
import { encodingAdvice } from "../data/encoding_advice.ts";
import { rawBytes } from "./raw_bytes.ts";

/** The texts of one file. */
export interface EvaluationFile {
  /** In a folder: the folder's name and the path in it. */
  readonly name: string;
  readonly texts: readonly string[];
}

const READ = /\.(json|jsonl|tsv|csv|txt)(\.gz|\.zst)?$/;

/** All strings in a JSON value; the names of fields are not text. */
function stringsIn(value: unknown, found: string[]): void {
  if (typeof value === "string") found.push(value);
  else if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) stringsIn(part, found);
  }
}

/** All strings in JSON, one value or one a line; the number of a line that is none. */
function jsonTexts(content: string): readonly string[] | number {
  const found: string[] = [];
  try {
    stringsIn(JSON.parse(content), found);
    return found;
  } catch { /* an object a line, then */ }
  for (const [i, line] of content.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      stringsIn(JSON.parse(line), found);
    } catch {
      return i + 1;
    }
  }
  return found;
}

function textsOf(path: string, content: string, note: (line: string) => void): readonly string[] {
  if (/\.csv(\.|$)/.test(path)) {
    // Lines too: a sentence may have a comma in it.
    return content.split("\n").flatMap((line) => [line, ...line.split(/","|[,"]/)]);
  }
  if (/\.jsonl?(\.|$)/.test(path)) {
    const found = jsonTexts(content);
    if (typeof found !== "number") return found;
    note(`${path}: line ${found} is no JSON: its lines are read as text`);
  }
  return content.split(/[\n\t]/);
}

/**
 * The texts of evaluation files, or of all in folders: every string of JSON, every cell of tables, every line. `note` hears of files that are
 * not what their names say.
 *
 * @throws InputError where there is none.
 */
export async function evaluationTexts(
  paths: readonly string[],
  note: (line: string) => void = () => {},
): Promise<readonly EvaluationFile[]> {
  const files: { readonly path: string; readonly name: string }[] = [];
  for (const path of paths) {
    let isDirectory: boolean;
    try {
      ({ isDirectory } = await Deno.stat(path));
    } catch {
      throw new InputError(`Cannot read ${path}: no such file or folder; pass --against FILE|DIR`);
    }
    if (!isDirectory) files.push({ path, name: basename(path) });
    else {
      for await (const entry of walk(path, { includeDirs: false, includeSymlinks: false })) {
        if (!READ.test(entry.path)) continue;
        // Evaluation sets all have a dev.json: the folders tell them apart.
        const name = join(basename(resolve(path)), relative(path, entry.path));
        files.push({ path: entry.path, name });
      }
    }
  }
  if (files.length === 0) {
    throw new InputError(`Cannot check against ${paths.join(", ")}: no .json, .tsv or .txt in it`);
  }
  return await Promise.all(files.map(async ({ path, name }) => {
    const parts: Uint8Array[] = [];
    for await (const bytes of rawBytes(path)) parts.push(bytes.slice());
    const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    let content: string;
    try {
      content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw new InputError(`Cannot read ${path}: it is not UTF-8; ${encodingAdvice(bytes)}`);
    }
    return { name, texts: textsOf(path, content, note) };
  }));
}
