/** Numbers as their signs, times the mean size of those in their block: of all multiples of the signs the nearest. */
import type { Codec } from "./codec.ts";

/** One bit an element, and a scale for 2048 of them. */
export const sign: Codec = {
  block: 2048,
  bits: 1,
  encode(values, codes, at) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
    const scale = Math.fround(sum / values.length);
    for (let i = 0; i < values.length; i++) {
      const place = at + i, isNegative = values[i]! < 0;
      if (isNegative) codes[place >>> 3]! |= 1 << (place & 7);
      values[i]! -= isNegative ? -scale : scale;
    }
    return scale;
  },
  decode(codes, at, scale, values) {
    for (let i = 0; i < values.length; i++) {
      const place = at + i;
      values[i] = codes[place >>> 3]! >>> (place & 7) & 1 ? -scale : scale;
    }
  },
};
