/**
 * Tables that depend on the scheme and the length alone: made once a trace, constants of the program.
 *
 * @module
 */
import { type AnyTensor, fromArray, type Tensor } from "../../core/mod.ts";
import type { Scheme } from "./scheme.ts";

/** Rows of the scheme for texts of this length; the two of [CLS] come last: as query, then as key. */
export function bucketCount(scheme: Scheme, length = 0): number {
  return scheme.bucket.size(length) + (scheme.ownCls ? 2 : 0);
}

/** The row of the pair (query i, key j). */
export function bucketOf(scheme: Scheme, i: number, j: number, length: number): number {
  const rows = scheme.bucket.size(length);
  if (scheme.ownCls && i === 0) return rows;
  if (scheme.ownCls && j === 0) return rows + 1;
  return scheme.bucket.of(j - i, length);
}

/** [2T - 1] i32: the row of every offset j - i, from 1 - T up. Position 0 may have rows of its own besides. */
export function offsetRows(scheme: Scheme, length: number): Tensor<[number], "i32"> {
  const rows = Int32Array.from(
    { length: 2 * length - 1 },
    (_, n) => scheme.bucket.of(n - length + 1, length),
  );
  return fromArray(rows, [2 * length - 1], "i32");
}

/**
 * Sinusoids of `width` at a position: sin and cos of position / 10000^(2m / width), alternating, or all sines first.
 *
 * Source: Vaswani et al. 2017; NEZHA alternates, Transformer-XL concatenates.
 */
export function sinusoid(position: number, width: number, halves = false): number[] {
  return Array.from({ length: width }, (_, c) => {
    const m = halves ? c % (width / 2) : Math.floor(c / 2);
    const angle = position / 10000 ** (2 * m / width);
    return (halves ? c < width / 2 : c % 2 === 0) ? Math.sin(angle) : Math.cos(angle);
  });
}

/**
 * [R, width]: the sinusoid of every row's offset, times `factor`; those of [CLS] are 0. XLNet's sinusoids are of i - j,
 * which is minus our offset; NEZHA's are of the number of the row.
 */
export function rowSinusoids(scheme: Scheme, width: number, length: number, factor = 1): AnyTensor {
  const rows = scheme.bucket.size(length), all = bucketCount(scheme, length);
  const halves = scheme.rows === "sinusoid-halves", values = new Float32Array(all * width);
  for (let r = 0; r < rows; r++) {
    const offset = scheme.bucket.offset(r, length);
    const position = scheme.rows === "sinusoid" ? r : halves ? -offset : offset;
    values.set(sinusoid(position, width, halves).map((x) => x * factor), r * width);
  }
  return fromArray(values, [all, width]);
}
