/**
 * Unpacks an archive into a folder, whole or not at all.
 *
 * @module
 */
import { ensureDir } from "@std/fs";
import { dirname, join } from "@std/path";
import { type UnzipFileInfo, unzipSync } from "npm:fflate@0.8.3";
import { InputError } from "../../cli/input_error.ts";

/** An archive is refused that has more files, or would unpack to more: to so many bytes, or to so many times its own size. */
const FILES = 1000, BYTES = 2 ** 31, TIMES = 200;

/** What systems leave in archives that nobody wants. */
const litter = (name: string): boolean => /(^|\/)(__MACOSX\/|\.DS_Store$|\._)/.test(name);

/** Does a name stay in its folder, on every system? */
const isSafe = (name: string): boolean =>
  !/[\\:\0]/.test(name) &&
  name.split("/").every((part) => part !== "" && part !== "." && part !== "..");

/** Files of an archive, and where they go: folders that all of them are in are left away. */
function placesOf(
  files: readonly UnzipFileInfo[],
  size: number,
  fail: (why: string) => never,
): ReadonlyMap<string, string> {
  const wanted = files.filter(({ name }) => !name.endsWith("/") && !litter(name));
  if (wanted.length === 0) fail("no file is in it");
  if (files.length > FILES) fail(`${files.length} files are in it, more than ${FILES}`);
  const unsafe = wanted.find(({ name }) => !isSafe(name));
  if (unsafe) fail(`${JSON.stringify(unsafe.name)} would be written outside of its folder`);
  const bytes = wanted.reduce((sum, { originalSize }) => sum + originalSize, 0);
  const most = Math.min(BYTES, TIMES * size);
  if (bytes > most) {
    fail(
      `it would unpack to ${bytes.toLocaleString("en")} bytes, more than ${
        most.toLocaleString("en")
      }`,
    );
  }
  const parts = wanted.map(({ name }) => name.split("/"));
  let common = 0;
  while (parts.every((own) => own.length > common + 1 && own[common] === parts[0]![common])) {
    common++;
  }
  const places = parts.map((own) => own.slice(common).join("/")), seen = new Set<string>();
  for (const place of places) {
    if (seen.has(place.toLowerCase())) fail(`${JSON.stringify(place)} is in it twice`);
    seen.add(place.toLowerCase());
  }
  return new Map(wanted.map(({ name }, i) => [name, places[i]!]));
}

/**
 * Unpacks a zip into a folder that is not there yet; gives the paths of its files in there. Nothing is written where an entry is not to be
 * trusted.
 *
 * @throws InputError
 */
export async function unpack(archive: string, folder: string): Promise<readonly string[]> {
  const bytes = await Deno.readFile(archive), files: UnzipFileInfo[] = [];
  const fail = (why: string): never => {
    throw new InputError(`Cannot unpack ${archive}: ${why}`);
  };
  const entries = (
    filter: (file: UnzipFileInfo) => boolean,
  ): Readonly<Record<string, Uint8Array>> => {
    try {
      return unzipSync(bytes, { filter });
    } catch (error) {
      return fail(`it is no sound zip (${(error as Error).message})`);
    }
  };
  entries((file) => {
    files.push(file);
    return false;
  });
  const places = placesOf(files, bytes.length, fail), part = `${folder}.part`;
  await Deno.remove(part, { recursive: true }).catch(() => {});
  try {
    for (const [name, place] of places) {
      // One at a time: all of them at once can be hundreds of megabytes.
      const content = entries((file) => file.name === name)[name]!, path = join(part, place);
      await ensureDir(dirname(path));
      await Deno.writeFile(path, content);
    }
    await Deno.rename(part, folder);
  } catch (error) {
    await Deno.remove(part, { recursive: true }).catch(() => {});
    throw error;
  }
  return [...places.values()].sort();
}
