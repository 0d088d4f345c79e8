/**
 * Host arrays to the words of a GPU and back. Every element takes a word: f16 and bf16 are the f32 that they stand for,
 * bool is 0 or 1.
 *
 * @module
 */
import { type DType, fromHost, type HostArray, hostArray, toBf16, toF16 } from "../../dtype.ts";

/** Words to upload. */
export function toWords(data: HostArray, dtype: DType): ArrayBufferView<ArrayBuffer> {
  if (dtype === "bool") return Uint32Array.from(data);
  if (dtype === "f16" || dtype === "bf16") {
    return fromHost(data, dtype) as Float32Array<ArrayBuffer>;
  }
  // Shared memory, as WebAssembly threads have it, cannot be uploaded from.
  return data.buffer instanceof ArrayBuffer
    ? data as ArrayBufferView<ArrayBuffer>
    : data.slice() as ArrayBufferView<ArrayBuffer>;
}

/** A host array of `size` elements from downloaded words, copied. */
export function fromWords(words: ArrayBuffer, size: number, dtype: DType): HostArray {
  const out = hostArray<DType>(dtype, size);
  if (dtype === "f16" || dtype === "bf16") {
    const round = dtype === "f16" ? toF16 : toBf16, values = new Float32Array(words, 0, size);
    for (let i = 0; i < size; i++) out[i] = round(values[i]!);
  } else if (dtype === "f32") out.set(new Float32Array(words, 0, size));
  else out.set(new Uint32Array(words, 0, size));
  return out;
}
