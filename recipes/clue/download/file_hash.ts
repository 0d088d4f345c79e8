/**
 * SHA-256 of files.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The hash of a file in hexadecimal, read piece by piece; undefined where there is no file. */
export async function fileHash(path: string): Promise<string | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const hash = createHash("sha256");
  for await (const piece of file.readable) hash.update(piece);
  return hash.digest("hex");
}
