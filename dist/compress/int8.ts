/** Numbers as whole multiples, -127 to 127, of a 127th of the largest one in their block. */
import type { Codec } from "./codec.ts";

const MOST = 127;

/** 8 bits an element, and a scale for 256 of them. The error is at most half of a 127th of the block's largest number. */
export const int8: Codec = {
  block: 256,
  bits: 8,
  encode(values, codes, at) {
    let most = 0;
    for (let i = 0; i < values.length; i++) {
      const size = Math.abs(values[i]!);
      most = size > most || size !== size ? size : most; // NaN stays
    }
    const scale = Math.fround(most / MOST), signed = new Int8Array(codes.buffer, codes.byteOffset);
    if (scale === 0) return 0;
    for (let i = 0; i < values.length; i++) {
      const code = Math.max(-MOST, Math.min(MOST, Math.round(values[i]! / scale)));
      signed[at + i] = code;
      values[i]! -= code * scale;
    }
    return scale;
  },
  decode(codes, at, scale, values) {
    const signed = new Int8Array(codes.buffer, codes.byteOffset);
    for (let i = 0; i < values.length; i++) values[i] = signed[at + i]! * scale;
  },
};
