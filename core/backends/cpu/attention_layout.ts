/**
 * How attention is cut into blocks, and where things stand in a thread's space.
 *
 * Forward, a block has scores of some queries by all keys, so no softmax needs to be corrected later; backward, where the softmax's
 * sums are known, it has some of the keys too. Blocks and the panels that they are multiplied with fit into a second cache of 1 MiB.
 *
 * @module
 */
import type { HandKernel } from "../../plan/kernels.ts";
import { MR, NR } from "./gemm.ts";
import { leftBytes, rightBytes, TILE_BYTES } from "./packed.ts";

/** The most queries, keys and scores of a block; other sizes were no faster (measured). */
const ROWS = 96, KEYS = 256, SCORES = 1 << 17;
/** BLAS packs its factors for every product: larger blocks pay. */
const BLAS_KEYS = 512, BLAS_SCORES = 1 << 18;

/** Things in a thread's space. */
type Part =
  | "tile"
  | "scores"
  | "grads"
  | "left"
  | "keyPanels"
  | "valuePanels"
  | "keyColumns"
  | "queryPanels"
  | "queryColumns"
  | "outPanels"
  | "outColumns"
  | "scales"
  | "dots"
  | "rowTable"
  | "bias"
  | "biasGrads";

/** Sizes that follow from the kernel's. */
export interface Layout {
  /** Queries of a block, and how many blocks there are. */
  readonly rows: number;
  readonly blocks: number;
  /** Keys of a block; forward, keys that are multiplied with values at once. */
  readonly keys: number;
  readonly keyBlocks: number;
  /** Bytes from row to row of scores. */
  readonly line: number;
  /** Bytes of a table over offsets, and where in it the offsets of query 0 are if it has its own. */
  readonly table: number;
  readonly table0: number;
  readonly at: { readonly [P in Part]: number };
  readonly bytes: number;
}

/** Parts of at most so many, as equal as multiples of a step can be. */
function cut(all: number, most: number, step: number): readonly [size: number, count: number] {
  const size = Math.min(all, Math.ceil(all / Math.ceil(all / most) / step) * step);
  return [size, Math.ceil(all / size)];
}

export function layoutOf({ does }: HandKernel, blas: boolean): Layout {
  const { T, K, op, ownCls } = does, grad = op === "attentionGrad";
  const [keys, keyBlocks] = cut(T, !blas ? KEYS : grad ? BLAS_KEYS : T, NR);
  const wide = grad ? keys : T, fit = Math.floor((blas && !grad ? BLAS_SCORES : SCORES) / wide);
  const most = Math.max(4 * MR, blas ? fit : Math.min(ROWS, fit));
  const [rows, blocks] = cut(T, most - most % MR, MR);
  // Lines of a power of two would meet in few sets of a cache.
  const line = 4 * Math.ceil(wide / 4) * 4 + 64, block = rows * line;
  const table0 = 4 * (2 * T + 4),
    table = Math.ceil((table0 + (ownCls ? 4 * (T + 4) : 0)) / 64) * 64;
  const left = Math.max(leftBytes(rows, keys), grad ? leftBytes(keys, rows) : leftBytes(rows, K));
  const packed = (bytes: number): number => blas ? 0 : bytes;
  let bytes = 0;
  const take = (size: number): number => {
    const start = bytes;
    bytes += Math.ceil(size / 64) * 64;
    return start;
  };
  const backward = (size: number): number => take(grad ? size : 0);
  const at = {
    tile: take(TILE_BYTES),
    scores: take(block),
    grads: backward(block),
    left: take(packed(left)),
    keyPanels: take(packed(rightBytes(grad ? keys : T, K))),
    valuePanels: take(packed(grad ? rightBytes(keys, K) : keyBlocks * rightBytes(K, keys))),
    keyColumns: backward(packed(rightBytes(K, keys))),
    queryPanels: backward(packed(leftBytes(rows, K))),
    queryColumns: backward(packed(rightBytes(K, rows))),
    outPanels: backward(packed(leftBytes(rows, K))),
    outColumns: backward(packed(rightBytes(K, rows))),
    scales: take(grad ? 0 : 4 * rows),
    dots: backward(4 * T),
    rowTable: take(table),
    bias: take(table),
    biasGrads: backward(table),
  };
  return { rows, blocks, keys, keyBlocks, line, table, table0, at, bytes };
}
