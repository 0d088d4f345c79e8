/**
 * Host arrays to the words of a GPU and back. Of `halves` two elements take a word, as their bits. Of any other type each
 * takes one: f16 and bf16 are the f32 that they stand for, bool is 0 or 1.
 *
 * @module
 */
import { type DType, fromHost, type HostArray, hostArray, toBf16, toF16 } from "../../dtype.ts";
import type { Halves } from "../../plan/plan.ts";

/** Words to upload. */
export function toWords(
  data: HostArray,
  dtype: DType,
  halves?: Halves,
): ArrayBufferView<ArrayBuffer> {
  if (dtype === "bool") return Uint32Array.from(data);
  if (halves?.has(dtype) && data.length % 2) {
    const whole = new Uint16Array(data.length + 1);
    whole.set(data);
    return whole;
  }
  if ((dtype === "f16" || dtype === "bf16") && !halves?.has(dtype)) {
    return fromHost(data, dtype) as Float32Array<ArrayBuffer>;
  }
  // Shared memory, as WebAssembly threads have it, cannot be uploaded from.
  return data.buffer instanceof ArrayBuffer
    ? data as ArrayBufferView<ArrayBuffer>
    : data.slice() as ArrayBufferView<ArrayBuffer>;
}

/** A host array of `size` elements from downloaded words, copied. */
export function fromWords(
  words: ArrayBuffer,
  size: number,
  dtype: DType,
  halves?: Halves,
): HostArray {
  const out = hostArray<DType>(dtype, size);
  if (halves?.has(dtype)) out.set(new Uint16Array(words, 0, size));
  else if (dtype === "f16" || dtype === "bf16") {
    const round = dtype === "f16" ? toF16 : toBf16, values = new Float32Array(words, 0, size);
    for (let i = 0; i < size; i++) out[i] = round(values[i]!);
  } else if (dtype === "f32") out.set(new Float32Array(words, 0, size));
  else out.set(new Uint32Array(words, 0, size));
  return out;
}
