/**
 * `deno task clue --download`: the official archives of tasks, fetched and unpacked. What is there is not asked for again.
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { basename, join } from "@std/path";
import { InputError } from "../../cli/input_error.ts";
import { reasonOf } from "../../cli/reason.ts";
import { splitFiles } from "../read_split.ts";
import type { Task } from "../task.ts";
import { type Archive, archives } from "./archives.ts";
import { checksumsPath, pinChecksum, readChecksums } from "./checksums.ts";
import { fetchFile, type Patience } from "./fetch_file.ts";
import { fileHash } from "./file_hash.ts";
import { unpack } from "./unpack.ts";

/** What is downloaded, and where. */
export interface Download {
  readonly tasks: readonly Task[];
  /** Gets a folder a task, and one of archives. */
  readonly data: string;
  /** An address that has the archives by their names, instead of the official one. */
  readonly mirror?: string;
  readonly patience?: Patience;
  /** By the names of tasks, instead of the official ones. */
  readonly from?: Readonly<Record<string, Archive>>;
}

/** What downloading tells and asks its surroundings. */
export interface DownloadHooks {
  readonly note: (line: string) => void;
  /** Units: bytes. */
  readonly progress: (name: string, done: number, total?: number) => void;
  readonly stop: () => boolean;
}

/** The folder of archives in a folder of tasks. */
export const archiveFolder = (data: string): string => join(data, "archives");

/** An archive on this machine. */
interface Local {
  readonly path: string;
  readonly sha256: string;
  /** How it came; of one that nobody has published a checksum of, and that has none yet. */
  readonly untold?: "found" | "fetched";
}

/** Tasks, and where their archives would have come from, by hosts that cannot be reached: they are asked once. */
type Unreached = Map<string, (readonly [task: string, url: string])[]>;

/** What to do without a network. */
const otherwise = (urls: readonly string[], folder: string): string =>
  `fetch ${
    urls.join(" ")
  } another way, put it into ${folder} and run this again, or pass --mirror URL`;

/** Finds an archive, or fetches it; undefined where the user has stopped it, or its host is not reached again. */
async function localArchive(
  task: string,
  { url: official, bytes, sha256: told }: Archive,
  { data, mirror, patience }: Download,
  unreached: Unreached,
  { progress, stop }: DownloadHooks,
): Promise<Local | undefined> {
  const name = basename(new URL(official).pathname), folder = archiveFolder(data);
  const path = join(folder, name), pinned = (await readChecksums(folder))[name];
  const right = pinned ?? told, there = await fileHash(path);
  if (there !== undefined) {
    if (right === undefined) return { path, sha256: there, untold: "found" };
    if (there === right) return { path, sha256: there };
    throw new InputError(
      `Cannot take ${path} for ${task}: its SHA-256 is ${there}, not ${right}; remove it, or, where you trust it, write that into ${
        checksumsPath(folder)
      }`,
    );
  }
  const url = mirror === undefined ? official : `${mirror.replace(/\/+$/, "")}/${name}`;
  const { host } = new URL(url);
  if (unreached.has(host)) {
    unreached.get(host)!.push([task, url]);
    return undefined;
  }
  // Where a checksum is pinned, the archive is not the one whose size is known.
  const size = pinned === undefined && bytes !== undefined ? { bytes } : {};
  const found = await fetchFile(
    { url, path, ...size, ...right !== undefined && { sha256: right } },
    { progress: (done, total) => progress(name, done, total), stop },
    patience,
  );
  if (found.kind === "stopped") return undefined;
  if (found.kind === "done") {
    return { path, sha256: found.sha256, ...right === undefined && { untold: "fetched" as const } };
  }
  if (found.kind === "unreached") unreached.set(host, []);
  const what = found.kind === "unreached"
    ? `${host} cannot be reached (${found.why})`
    : `${url}: ${found.why}`;
  throw new InputError(`Cannot download ${task}: ${what}; ${otherwise([url], folder)}`);
}

/** Brings one task. */
async function bring(
  task: Task,
  download: Download,
  unreached: Unreached,
  hooks: DownloadHooks,
): Promise<void> {
  const { data, from = archives } = download, archive = from[task.name];
  if (!archive) {
    throw new InputError(
      `Cannot download ${task.name}: CLUE has no archive of it; there are some of ${
        Object.keys(from).join(", ")
      }`,
    );
  }
  const folder = join(data, archive.folder);
  if (await exists(folder)) {
    hooks.note(`${task.name}: ${folder} is there`);
    return;
  }
  const local = await localArchive(task.name, archive, download, unreached, hooks);
  if (!local) return;
  const { path, sha256, untold } = local;
  let files: readonly string[];
  try {
    files = await unpack(path, folder);
  } catch (error) {
    // A page of the network in between is not to be trusted from now on.
    if (untold === "fetched") await Deno.remove(path);
    throw error;
  }
  if (untold) {
    await pinChecksum(archiveFolder(data), basename(path), sha256);
    hooks.note(
      `${task.name}: nobody has published a checksum of ${
        basename(path)
      }; the one ${untold} now, of SHA-256 ${sha256}, is the right one from now on (${
        checksumsPath(archiveFolder(data))
      })`,
    );
  }
  hooks.note(`${task.name}: ${files.join(", ")} in ${folder}`);
  if ((await splitFiles(folder, task.files.train)).length === 0) {
    throw new InputError(
      `Cannot learn ${task.name} from ${folder}: ${path} has none of ${
        task.files.train.join(", ")
      }`,
    );
  }
}

/**
 * Brings tasks, one after another; one that cannot be had keeps no other back.
 *
 * @returns What went wrong, a line each.
 */
export async function bringTasks(
  download: Download,
  hooks: DownloadHooks,
): Promise<readonly string[]> {
  const faults: string[] = [], unreached: Unreached = new Map();
  const folder = archiveFolder(download.data);
  try {
    await ensureDir(folder);
  } catch (error) {
    throw new InputError(
      `Cannot write ${folder}: ${reasonOf(error)}; pass another --data`,
    );
  }
  for (const task of download.tasks) {
    if (hooks.stop()) break;
    try {
      await bring(task, download, unreached, hooks);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      faults.push(error.message);
    }
  }
  for (const [host, more] of unreached) {
    if (more.length === 0) continue;
    const names = more.map(([task]) => task).join(", "), urls = more.map(([, url]) => url);
    faults.push(
      `Cannot download ${names}: ${host} cannot be reached; ${otherwise(urls, folder)}`,
    );
  }
  // Where nothing came, nothing stays.
  await Deno.remove(folder).catch(() => {});
  return faults;
}
