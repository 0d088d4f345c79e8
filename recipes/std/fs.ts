/**
 * `@std/fs` over `node:fs/promises`: std's names and signatures.
 *
 * @module
 */
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename, join, normalize } from "node:path";

/** Makes a folder and those above it where they are missing. */
export async function ensureDir(dir: string | URL): Promise<void> {
  await mkdir(dir, { recursive: true });
}

/** What {@linkcode exists} asks for beside mere presence. */
export interface ExistsOptions {
  readonly isDirectory?: boolean;
  readonly isFile?: boolean;
}

/** Says whether a path exists; other failures than absence are thrown. */
export async function exists(path: string | URL, options: ExistsOptions = {}): Promise<boolean> {
  try {
    const found = await stat(path);
    if (options.isDirectory) return found.isDirectory();
    return options.isFile ? found.isFile() : true;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

/** One path met by {@linkcode walk}. */
export interface WalkEntry {
  readonly path: string;
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
}

/** What {@linkcode walk} yields. Symbolic links are yielded, never followed. */
export interface WalkOptions {
  readonly maxDepth?: number;
  readonly includeFiles?: boolean;
  readonly includeDirs?: boolean;
  readonly includeSymlinks?: boolean;
  readonly exts?: readonly string[];
  readonly match?: readonly RegExp[];
  readonly skip?: readonly RegExp[];
}

/** Yields a folder and all below it, each folder sorted by name so that a run can be repeated. */
export async function* walk(
  root: string,
  options: WalkOptions = {},
): AsyncGenerator<WalkEntry, void, unknown> {
  const top = normalize(root);
  const self = { path: top, name: basename(top) };
  const entry = { ...self, isFile: false, isDirectory: true, isSymlink: false };
  if ((options.includeDirs ?? true) && wanted(top, options)) yield entry;
  yield* below(top, options, options.maxDepth ?? Infinity);
}

async function* below(
  folder: string,
  options: WalkOptions,
  depth: number,
): AsyncGenerator<WalkEntry, void, unknown> {
  if (depth < 1 || options.skip?.some((pattern) => pattern.test(folder))) return;
  const found = await readdir(folder, { withFileTypes: true });
  found.sort((a, b) => a.name < b.name ? -1 : 1);
  const { includeFiles = true, includeDirs = true, includeSymlinks = true } = options;
  for (const item of found) {
    const path = join(folder, item.name);
    const entry = {
      path,
      name: item.name,
      isFile: item.isFile(),
      isDirectory: item.isDirectory(),
      isSymlink: item.isSymbolicLink(),
    };
    const kind = entry.isDirectory ? includeDirs : entry.isSymlink ? includeSymlinks : includeFiles;
    if (kind && wanted(path, options)) yield entry;
    if (entry.isDirectory) yield* below(path, options, depth - 1);
  }
}

function wanted(path: string, { exts, match, skip }: WalkOptions): boolean {
  if (exts && !exts.some((ext) => path.endsWith(ext))) return false;
  if (match && !match.some((pattern) => pattern.test(path))) return false;
  return !skip?.some((pattern) => pattern.test(path));
}
