/** Safetensors files in memory. */
import { type AnyTensor, read, type Tree, writeSafetensors } from "../../core/mod.ts";

/** The bytes of the file of a tree of tensors. */
export async function bytesOfFile(
  tensors: Tree<AnyTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const [bytes] = await Promise.all([
    new Response(readable).bytes(),
    writeSafetensors(writable as WritableStream<Uint8Array>, tensors, metadata),
  ]);
  return bytes;
}

/** The bytes of a tensor's elements. */
export async function hostBytes(x: AnyTensor): Promise<Uint8Array<ArrayBuffer>> {
  const data: ArrayBufferView = await read(x);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
