/**
 * The bytes of a file as they were before it was compressed.
 *
 * @module
 */
import { pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";

const unpackers = { gz: createGunzip, zst: createZstdDecompress } as const;

/**
 * Streams a file; `.gz` and `.zst` are unpacked on the way. `took` is told how many bytes of the file were taken each time.
 *
 * @throws InputError where the file cannot be read, or what is packed is broken or cut off.
 */
export async function* rawBytes(
  path: string,
  took: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, void, unknown> {
  const packing = /\.(gz|zst)$/.exec(path)?.[1] as keyof typeof unpackers | undefined;
  try {
    const file = await Deno.open(path);
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, out) {
        took(bytes.length);
        out.enqueue(bytes);
      },
    });
    const stream = (file.readable as ReadableStream<Uint8Array>).pipeThrough(counted);
    if (!packing) yield* stream;
    else {
      // The callback is asked for; what it would be told, the loop is told too.
      const unpacked = pipeline(Readable.fromWeb(stream as never), unpackers[packing](), () => {});
      for await (const bytes of unpacked) yield bytes as Uint8Array;
    }
  } catch (error) {
    const what = packing ? `its .${packing} data is broken or cut off: ` : "";
    throw new InputError(`Cannot read ${path}: ${what}${reasonOf(error)}`);
  }
}
