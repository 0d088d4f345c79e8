/**
 * Ranges of bytes, from a file or from memory, of any size.
 *
 * @module
 */

import { files } from "./files.ts";

/** Where bytes come from. */
export interface ByteSource extends AsyncDisposable {
  readonly size: number;
  /** Fills `target` from byte `offset` on; false if there are fewer bytes. */
  read(offset: number, target: Uint8Array): Promise<boolean>;
}

/** An open file. */
export async function fileSource(path: string | URL): Promise<ByteSource> {
  const file = await files().open(path, "r");
  try {
    const { size } = await file.stat();
    return {
      size,
      async read(offset, target): Promise<boolean> {
        for (let at = 0; at < target.length;) {
          const { bytesRead } = await file.read(target, at, target.length - at, offset + at);
          if (bytesRead === 0) return false;
          at += bytesRead;
        }
        return true;
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A blob, or a file that a browser's user chose. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, target): Promise<boolean> {
      const bytes = await blob.slice(offset, offset + target.length).bytes();
      target.set(bytes);
      return bytes.length === target.length;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
