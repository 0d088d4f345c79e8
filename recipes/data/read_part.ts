/**
 * Reads parts of files, without waiting: what the system has in memory is there sooner than a promise.
 *
 * @module
 */

/**
 * Fills `bytes` with what a file holds from `from` on.
 *
 * @throws RangeError where the file ends before.
 */
export function readInto(bytes: Uint8Array, path: string, from: number): void {
  using file = Deno.openSync(path);
  file.seekSync(from, Deno.SeekMode.Start);
  for (let have = 0; have < bytes.length;) {
    const got = file.readSync(bytes.subarray(have));
    if (got === null) throw new RangeError(`Cannot read ${path}: it ends before ${from + have}`);
    have += got;
  }
}

/**
 * The bytes of a file from `from` to `to`.
 *
 * @throws RangeError where the file ends before.
 */
export function readPart(path: string, from: number, to: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(to - from);
  readInto(bytes, path, from);
  return bytes;
}
