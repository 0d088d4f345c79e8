/**
 * Weights in one byte, for shipping: w ≈ scale_c · q, with whole q from -127 to 127 and a scale for every channel c.
 *
 *     scale_c = max |w_c| / 127          q = round(w / scale_c)
 *
 * @module
 */

import { InputError } from "../cli/input_error.ts";

/** Weights in one byte. */
export interface Rounded {
  readonly q: Int8Array;
  readonly scales: Float32Array;
}

const LARGEST = 127;
/** Fewer elements are not worth a scale. */
export const FEWEST = 1024;

/**
 * Rounds a matrix by its columns (axis 1) or rows (axis 0).
 *
 * @throws InputError where a weight is not finite.
 */
export function rounded(w: Float32Array, dims: readonly number[], axis: 0 | 1): Rounded {
  const [rows, columns] = dims as readonly [number, number];
  const scales = new Float32Array(dims[axis]!), q = new Int8Array(w.length);
  const each = (f: (i: number, channel: number) => void): void => {
    for (let r = 0, i = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++, i++) f(i, axis === 1 ? c : r);
    }
  };
  each((i, c) => scales[c] = Math.max(scales[c]!, Math.abs(w[i]!)));
  if (!scales.every(Number.isFinite)) {
    throw new InputError(
      "Cannot round weights to one byte: one of them is not finite; take an earlier checkpoint",
    );
  }
  scales.forEach((most, c) => scales[c] = most === 0 ? 1 : most / LARGEST);
  each((i, c) => q[i] = Math.max(-LARGEST, Math.min(LARGEST, Math.round(w[i]! / scales[c]!))));
  return { q, scales };
}

/** What weights in one byte stand for; `channel` is the number of an element's scale. */
export function wideValues(
  q: Int8Array,
  scales: Float32Array,
  channel: (i: number) => number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(q.length);
  // Float32Array.from with a function takes about ten times as long.
  for (let i = 0; i < q.length; i++) values[i] = q[i]! * scales[channel(i)]!;
  return values;
}
