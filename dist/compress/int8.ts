/** Numbers as whole multiples, -127 to 127, of a 127th of the largest one in their block. */
import type { Codec } from "./codec.ts";
import { largest } from "./largest.ts";

const MOST = 127;

/** 8 bits an element, and a scale for 128 of them. The error is about half of a 127th of the block's largest number, at most. */
export const int8: Codec = {
  block: 128,
  bits: 8,
  scale: (values) => largest(values) / MOST,
  encode(values, scale, codes, at) {
    if (scale === 0) return;
    const signed = new Int8Array(codes.buffer, codes.byteOffset);
    for (let i = 0; i < values.length; i++) {
      // The scale was rounded: the largest number may be a code too far.
      const code = Math.max(-MOST, Math.min(MOST, Math.round(values[i]! / scale)));
      signed[at + i] = code;
      values[i]! -= code * scale;
    }
  },
  decode(codes, at, scale, values) {
    const signed = new Int8Array(codes.buffer, codes.byteOffset);
    for (let i = 0; i < values.length; i++) values[i] = signed[at + i]! * scale;
  },
};
