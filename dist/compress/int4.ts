/** Numbers as whole multiples, -7 to 7, of a 7th of the largest one in their block. */
import type { Codec } from "./codec.ts";
import { largest } from "./largest.ts";

const MOST = 7, BITS = 4, MASK = 15;

/** Where in its byte an element's code begins: even ones have the lower half. */
const shiftOf = (place: number): number => (place & 1) * BITS;

/** 4 bits an element, and a scale for 64 of them. The error is about half of a 7th of the block's largest number, at most. */
export const int4: Codec = {
  block: 64,
  bits: BITS,
  scale: (values) => largest(values) / MOST,
  encode(values, scale, codes, at) {
    if (scale === 0) return;
    for (let i = 0; i < values.length; i++) {
      const place = at + i;
      // A scale below bf16's normal numbers is rounded by far: 8 would be read as -8.
      const code = Math.max(-MOST, Math.min(MOST, Math.round(values[i]! / scale)));
      codes[place >>> 1]! |= (code & MASK) << shiftOf(place);
      values[i]! -= code * scale;
    }
  },
  decode(codes, at, scale, values) {
    for (let i = 0; i < values.length; i++) {
      const place = at + i, code = codes[place >>> 1]! >>> shiftOf(place) & MASK;
      values[i] = (code > MOST ? code - MASK - 1 : code) * scale;
    }
  },
};
