/**
 * Matrices by some columns: products, block by block in WebAssembly, and orthonormal columns. Matrices lie row by row, and so do the
 * transposes of their factors: a factor's column is in one piece.
 *
 * @module
 */
import { addBlocks, blockMemory, TILE } from "./tiles.ts";

/** A matrix and a factor of `rank` columns. */
export interface Sizes {
  readonly rows: number;
  readonly cols: number;
  readonly rank: number;
}

/** A block of the matrix, a quarter of a MiB: it stays in the core's cache while it is used. */
const ROWS = 64, COLS = 1024;

/** A block of the matrix, and where it and what belongs to it of the factors have their places. Units of places: elements. */
interface Block {
  readonly row: number;
  readonly rows: number;
  readonly col: number;
  readonly cols: number;
  /** The memory, in which M's block is at 0, P's columns at `p`, Q's at `q`, and a sum of columns at `sum`. */
  readonly room: Float32Array;
  readonly p: number;
  readonly q: number;
  readonly sum: number;
}

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** All blocks, those of the same columns one after the other. Beside a block's numbers its room has others, whose sums nobody takes. */
function eachBlock({ rows, cols, rank }: Sizes, f: (block: Block) => void): void {
  const wide = up(rank, TILE.cols), p = ROWS * COLS, q = p + wide * ROWS, sum = q + wide * COLS;
  const room = blockMemory(4 * (sum + wide * COLS));
  for (let col = 0; col < cols; col += COLS) {
    for (let row = 0; row < rows; row += ROWS) {
      const size = { rows: Math.min(ROWS, rows - row), cols: Math.min(COLS, cols - col) };
      f({ row, col, ...size, room, p, q, sum });
    }
  }
}

/** Copies the block's part of the matrix in. */
function matrixIn(m: Float32Array, { cols: width }: Sizes, block: Block): void {
  const { room, row, rows, col, cols } = block;
  for (let i = 0; i < rows; i++) {
    const at = (row + i) * width + col;
    room.set(m.subarray(at, at + cols), i * COLS);
  }
}

/** Copies columns of a factor in, from element `from` on, so many of each; they are `stride` apart. */
function columnsIn(
  factor: Float32Array,
  length: number,
  { rank }: Sizes,
  { room }: Block,
  at: number,
  { from, count, stride }: {
    readonly from: number;
    readonly count: number;
    readonly stride: number;
  },
): void {
  for (let k = 0; k < rank; k++) {
    room.set(factor.subarray(k * length + from, k * length + from + count), at + k * stride);
  }
}

/** Pᵀ = (M Q)ᵀ. */
export function rightProduct(
  m: Float32Array,
  q: Float32Array,
  sizes: Sizes,
  into: Float32Array,
): void {
  const { rows, cols, rank } = sizes, wide = up(rank, TILE.cols);
  // As rows, which a block's sums need.
  const turned = new Float32Array(cols * wide);
  for (let k = 0; k < rank; k++) {
    for (let j = 0; j < cols; j++) turned[j * wide + k] = q[k * cols + j]!;
  }
  into.fill(0);
  eachBlock(sizes, (block) => {
    const { room, row, rows: height, col, cols: width, q: qAt, sum } = block;
    matrixIn(m, sizes, block);
    if (row === 0) room.set(turned.subarray(col * wide, (col + width) * wide), qAt);
    room.fill(0, sum, sum + wide * up(height, TILE.rows));
    addBlocks({
      ...{ rows: up(height, TILE.rows), cols: wide, inner: width },
      ...{ a: 0, aRow: 4 * COLS, aInner: 4 },
      ...{ b: 4 * qAt, bRow: 4 * wide, c: 4 * sum, cRow: 4 * wide },
    });
    for (let i = 0; i < height; i++) {
      for (let k = 0; k < rank; k++) into[k * rows + row + i]! += room[sum + i * wide + k]!;
    }
  });
}

/** Qᵀ = (Mᵀ P)ᵀ. */
export function leftProduct(
  m: Float32Array,
  p: Float32Array,
  sizes: Sizes,
  into: Float32Array,
): void {
  const { rows, cols, rank } = sizes, high = up(rank, TILE.rows);
  eachBlock(sizes, (block) => {
    const { room, row, rows: height, col, cols: width, p: pAt, sum } = block;
    matrixIn(m, sizes, block);
    columnsIn(p, rows, sizes, block, pAt, { from: row, count: height, stride: ROWS });
    if (row === 0) room.fill(0, sum, sum + high * COLS);
    addBlocks({
      ...{ rows: high, cols: up(width, TILE.cols), inner: height },
      ...{ a: 4 * pAt, aRow: 4 * ROWS, aInner: 4 },
      ...{ b: 0, bRow: 4 * COLS, c: 4 * sum, cRow: 4 * COLS },
    });
    if (row + height < rows) return;
    for (let k = 0; k < rank; k++) {
      const at = sum + k * COLS;
      into.set(room.subarray(at, at + width), k * cols + col);
    }
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
  const { rows, cols, rank } = sizes, signed = sign === 1 ? p : p.map((x) => -x);
  eachBlock(sizes, (block) => {
    const { room, row, rows: height, col, cols: width, p: pAt, q: qAt } = block;
    matrixIn(m, sizes, block);
    columnsIn(signed, rows, sizes, block, pAt, { from: row, count: height, stride: ROWS });
    // Blocks of the same columns follow one another.
    if (row === 0) columnsIn(q, cols, sizes, block, qAt, { from: col, count: width, stride: COLS });
    addBlocks({
      ...{ rows: up(height, TILE.rows), cols: up(width, TILE.cols), inner: rank },
      ...{ a: 4 * pAt, aRow: 4, aInner: 4 * ROWS },
      ...{ b: 4 * qAt, bRow: 4 * COLS, c: 0, cRow: 4 * COLS },
    });
    for (let i = 0; i < height; i++) {
      m.set(room.subarray(i * COLS, i * COLS + width), (row + i) * cols + col);
    }
  });
}

/**
 * A column that is shorter by more than this, once the others' directions are taken out, was theirs. Where P was rounded to codes noise is
 * left instead, which does no harm.
 */
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
