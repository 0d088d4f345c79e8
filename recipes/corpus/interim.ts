/**
 * Files that a step leaves for its own later parts, and removes at its end.
 *
 * They are not waited for until they are on the disk, which takes as long as making them. A machine that loses its power may leave
 * them cut off, so that they are there only where they have their size.
 *
 * @module
 */

/** Writes bytes that a killed step leaves whole or not at all. */
export async function writeInterim(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(`${path}.part`, bytes);
  await Deno.rename(`${path}.part`, path);
}

/** Is a file of so many bytes there? */
export async function hasInterim(path: string, bytes: number): Promise<boolean> {
  const found = await Deno.stat(path).catch(() => undefined);
  return found?.size === bytes;
}
