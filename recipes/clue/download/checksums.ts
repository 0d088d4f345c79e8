/**
 * Checksums of archives that nobody has published: what came first is what counts from then on. They lie beside the archives, and go before
 * published ones: who trusts an archive that its publisher has replaced writes its checksum here.
 *
 * @module
 */
import { join } from "@std/path";
import { InputError } from "../../cli/input_error.ts";
import { isRecord } from "../../cli/schema.ts";
import { writeWhole } from "../../run/write_whole.ts";

/** SHA-256 in hexadecimal by the names of archives. */
export type Checksums = Readonly<Record<string, string>>;

/** The file. */
export const checksumsPath = (folder: string): string => join(folder, "checksums.json");

/**
 * What a folder of archives has pinned; nothing where it has no such file.
 *
 * @throws InputError where the file is broken: to pin anew then would be to trust anything.
 */
export async function readChecksums(folder: string): Promise<Checksums> {
  const path = checksumsPath(folder);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
  const fail = (why: string): never => {
    throw new InputError(`Cannot read ${path}: ${why}; mend or remove it`);
  };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    fail("it is no JSON");
  }
  if (!isRecord(found)) return fail("it is no object");
  for (const [name, value] of Object.entries(found)) {
    if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) {
      fail(`"${name}" is no SHA-256 in hexadecimal`);
    }
  }
  return found as Checksums;
}

/** Pins another archive. */
export async function pinChecksum(folder: string, name: string, sha256: string): Promise<void> {
  const all = { ...await readChecksums(folder), [name]: sha256 };
  await writeWhole(checksumsPath(folder), JSON.stringify(all, null, 2) + "\n");
}
