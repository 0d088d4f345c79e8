/**
 * Ranges of bytes, from a file or from memory, of any size.
 *
 * @module
 */

/** Where bytes come from. */
export interface ByteSource extends Disposable {
  readonly size: number;
  /** Fills `target` from byte `offset` on; false if there are fewer bytes. */
  read(offset: number, target: Uint8Array): Promise<boolean>;
}

/** An open file. Reads take turns, since they move its one position. */
export async function fileSource(path: string | URL): Promise<ByteSource> {
  const file = await Deno.open(path);
  let turn: Promise<unknown> = Promise.resolve();
  const read = async (offset: number, target: Uint8Array): Promise<boolean> => {
    await file.seek(offset, Deno.SeekMode.Start);
    for (let at = 0; at < target.length;) {
      const count = await file.read(target.subarray(at));
      if (count === null) return false;
      at += count;
    }
    return true;
  };
  try {
    const { size } = await file.stat();
    return {
      size,
      read(offset, target): Promise<boolean> {
        const mine = turn.then(() => read(offset, target));
        turn = mine.catch(() => {});
        return mine;
      },
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
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
    [Symbol.dispose]: () => {},
  };
}
