/**
 * Files that are there whole or not at all.
 *
 * @module
 */

/**
 * Writes a file under another name, waits until it is on the disk, and renames it: whoever looks sees the old content or the new.
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const part = `${path}.part`;
  {
    using file = await Deno.open(part, { write: true, create: true, truncate: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  }
  await Deno.rename(part, path);
}
