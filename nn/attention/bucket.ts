/**
 * Buckets of relative positions: which offsets δ = j - i (key minus query) share parameters.
 *
 * A bucket function gives a row number from 0 to `size(T)` - 1 for every offset between positions of a text of length T.
 *
 * @module
 */

/** A way to number offsets. */
export interface Bucket {
  /** Rows that a text of length T needs; the same for every T where offsets are clipped or grow logarithmically. */
  readonly size: (length: number) => number;
  /** The row of offset δ. */
  readonly of: (delta: number, length: number) => number;
  /** An offset that falls into the row, for sinusoids. */
  readonly offset: (row: number, length: number) => number;
}

function centred(
  half: number,
  magnitude: (distance: number) => number,
  back: (m: number) => number,
): Bucket {
  return {
    size: () => 2 * half + 1,
    of: (delta) => half + Math.sign(delta) * Math.min(half, magnitude(Math.abs(delta))),
    offset: (row) => Math.sign(row - half) * back(Math.abs(row - half)),
  };
}

/** One row an offset, however long the text: for fixed sinusoids only, as learnt rows must not depend on T. Source: Transformer-XL. */
export const unclipped: Bucket = {
  size: (length) => 2 * length - 1,
  of: (delta, length) => delta + length - 1,
  offset: (row, length) => row - length + 1,
};

/** One row an offset up to ±K; everything farther in the last one. Source: Shaw et al. 2018; NEZHA (K = 64). */
export function clipped(K: number): Bucket {
  return centred(K, (n) => n, (m) => m);
}

/**
 * Exact for |δ| < a quarter of the rows, then logarithmic up to `far`, δ ≤ 0 and δ > 0 apart. In f32, as the reference
 * rounds. Source: Raffel et al. 2020 (32 rows, far 128).
 */
export function t5(rows = 32, far = 128): Bucket {
  const half = rows / 2, exact = half / 2;
  const distance = (n: number): number => {
    if (n < exact) return n;
    const ratio = Math.fround(Math.log(Math.fround(n / exact)));
    return Math.min(
      half - 1,
      exact + Math.trunc(Math.fround(ratio / Math.log(far / exact) * (half - exact))),
    );
  };
  return {
    size: () => rows,
    of: (delta) => (delta > 0 ? half : 0) + distance(Math.abs(delta)),
    offset: (row) => {
      const m = row % half,
        n = m < exact ? m : exact * (far / exact) ** ((m - exact) / (half - exact));
      return (row >= half ? 1 : -1) * Math.ceil(n);
    },
  };
}

/**
 * DeBERTa v2's: exact up to half of `rows`, then logarithmic to `far`. Its r is i - j, so δ = -r.
 * Source: microsoft/DeBERTa, make_log_bucket_position.
 */
export function deberta(rows = 256, far = 512): Bucket {
  const mid = rows / 2, scale = (mid - 1) / Math.log((far - 1) / mid);
  const magnitude = (n: number): number =>
    n <= mid ? n : Math.ceil(Math.log(n / mid) * scale) + mid;
  const half = magnitude(far - 1);
  return centred(half, magnitude, (m) => m <= mid ? m : mid * Math.exp((m - mid) / scale));
}

/**
 * The default, for short texts: one row an offset up to ±exact, then `steps` logarithmic rows up to ±far on each side.
 * A search query has 8 characters and a title 26 on average, where T5's rows are already coarse.
 */
export function exactThenLog(exact = 32, far = 512, steps = 16): Bucket {
  const scale = steps / Math.log(far / exact);
  const magnitude = (n: number): number =>
    n <= exact ? n : exact + Math.max(1, Math.ceil(Math.log(n / exact) * scale - 1e-9));
  return centred(
    exact + steps,
    magnitude,
    (m) => m <= exact ? m : exact * Math.exp((m - exact) / scale),
  );
}
