/** Numbers as their signs, times the mean size of those in their block: of all multiples of the signs the nearest. */
import type { Codec } from "./codec.ts";

/**
 * One bit an element, and a scale for 32 of them. Half of it is scales: where numbers of many sizes share one, the large ones take so many
 * steps to be said that it costs more.
 */
export const sign: Codec = {
  block: 32,
  bits: 1,
  scale(values) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
    return sum / values.length;
  },
  encode(values, scale, codes, at) {
    for (let i = 0; i < values.length; i++) {
      const place = at + i, isNegative = values[i]! < 0;
      if (isNegative) codes[place >>> 3]! |= 1 << (place & 7);
      values[i]! -= isNegative ? -scale : scale;
    }
  },
  decode(codes, at, scale, values) {
    for (let i = 0; i < values.length; i++) {
      const place = at + i;
      values[i] = codes[place >>> 3]! >>> (place & 7) & 1 ? -scale : scale;
    }
  },
};
