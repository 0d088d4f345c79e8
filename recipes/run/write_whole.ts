/**
 * Files that are there whole or not at all.
 *
 * @module
 */

/**
 * Writes a file under another name, waits until it is on the disk, and renames it: whoever looks sees the old content or the new.
 * Content may come in parts.
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const part = `${path}.part`;
  {
    using file = await Deno.open(part, { write: true, create: true, truncate: true });
    const whole = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (const bytes of whole instanceof Uint8Array ? [whole] : whole) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    }
    await file.sync();
  }
  await Deno.rename(part, path);
}
