/**
 * Matrices by a few columns: products and orthonormal columns, in plain loops. Matrices lie row by row, and so do the transposes of their
 * factors: a factor's column is in one piece.
 *
 * @module
 */

/** A matrix and a factor of `rank` columns. */
export interface Sizes {
  readonly rows: number;
  readonly cols: number;
  readonly rank: number;
}

/** Pᵀ = (M Q)ᵀ. */
export function rightProduct(
  m: Float32Array,
  q: Float32Array,
  { rows, cols, rank }: Sizes,
  into: Float32Array,
): void {
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rank; k++) {
      let sum = 0;
      for (let j = 0, at = i * cols, of = k * cols; j < cols; j++) sum += m[at + j]! * q[of + j]!;
      into[k * rows + i] = sum;
    }
  }
}

/** Qᵀ = (Mᵀ P)ᵀ. */
export function leftProduct(
  m: Float32Array,
  p: Float32Array,
  { rows, cols, rank }: Sizes,
  into: Float32Array,
): void {
  into.fill(0);
  addRows({ rows, cols, rank }, p, (at, of, x) => {
    for (let j = 0; j < cols; j++) into[of + j]! += x * m[at + j]!;
  });
}

/** M ← M + sign · P Qᵀ. */
export function addProduct(
  m: Float32Array,
  p: Float32Array,
  q: Float32Array,
  sizes: Sizes,
  sign: 1 | -1,
): void {
  const { cols } = sizes;
  addRows(sizes, p, (at, of, x) => {
    const scaled = sign * x;
    for (let j = 0; j < cols; j++) m[at + j]! += scaled * q[of + j]!;
  });
}

/** Every row of the matrix with every column of its right factor. */
function addRows(
  { rows, cols, rank }: Sizes,
  p: Float32Array,
  add: (row: number, column: number, x: number) => void,
): void {
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rank; k++) add(i * cols, k * cols, p[k * rows + i]!);
  }
}

/** A column that is shorter by more than this, once the others' directions are taken out, was theirs but for rounding. */
const NOTHING = 1e-6;

/** Makes columns of length 1 at right angles to each other, by Gram and Schmidt; what has no direction of its own becomes 0. */
export function orthonormalize(p: Float32Array, length: number, rank: number): void {
  const column = (k: number): Float32Array => p.subarray(k * length, (k + 1) * length);
  for (let k = 0; k < rank; k++) {
    const own = column(k), before = norm(own);
    for (let l = 0; l < k; l++) {
      const other = column(l), share = dot(own, other);
      for (let i = 0; i < length; i++) own[i]! -= share * other[i]!;
    }
    const size = norm(own);
    // Not finite is neither: it goes on, so that all see it.
    if (size <= NOTHING * before) own.fill(0);
    else for (let i = 0; i < length; i++) own[i]! /= size;
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The length of a column. */
export const norm = (x: Float32Array): number => Math.sqrt(dot(x, x));
