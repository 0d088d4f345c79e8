/**
 * Kernels: what the planner hands to a backend. Seven kinds, plain data; a backend has one generator a kind, but may have none for
 * some fused kernels: it says which it has.
 *
 * Views, broadcasting, constants and counters have dissolved into operands and expressions by now. All strides and offsets
 * count elements. Expressions are untouched by lowering: a backend replaces the functions that it lacks.
 *
 * @module
 */
import type { Expr } from "../expr/expr.ts";
import type { FusedKernel } from "../graph/fused_kernel.ts";
import type { Combine, Node, Sizes } from "../graph/node.ts";

/**
 * How a kernel reads a buffer: element `offset` + coordinates · strides. If `base` is an iota node there is
 * no buffer: the value read is that element number itself, as i32; only row and column kernels have such operands.
 * Strides may be 0 or negative. No operand and no kernel is empty: all sizes are at least 1.
 */
export interface Operand {
  readonly base: Node;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** In a row kernel's expressions operand REDUCED + r is the result of reduction r in this row. */
export const REDUCED = 1 << 20;

/** A reduction of phase p may use the results of the phases before. */
export interface RowReduction {
  readonly combine: Combine;
  readonly value: Expr;
  readonly phase: number;
}
/** Stores are contiguous: element row * inner + column, or element row if `perRow`. */
export interface RowStore {
  readonly node: Node;
  readonly value: Expr;
  readonly perRow: boolean;
}
/** Element ⌊row / ROWS_A_SUM⌋ * inner + column is the sum of the value over those rows, in their order. */
export interface RowSum {
  readonly node: Node;
  readonly value: Expr;
}
/** Rows that a `RowSum` adds up. */
export const ROWS_A_SUM = 64;
/**
 * Maps and reductions over the last axis of one space, fused: softmax, layerNorm and gelu are one each. Operand i is
 * loads[i], over [...outer, inner]; `outer` may be empty. Without reductions and row stores every axis that can be is merged.
 *
 * A store may have the slot of a load that reads the very element being written. So all that an element needs
 * is loaded before any of its stores; a row value is never written over what its row reads.
 */
export interface RowKernel {
  readonly kind: "row";
  readonly outer: Sizes;
  readonly inner: number;
  readonly loads: readonly Operand[];
  readonly reductions: readonly RowReduction[];
  readonly stores: readonly RowStore[];
  /** Sums down the rows, of what is stored beside them; only for backends whose limits say so. */
  readonly sums?: readonly RowSum[];
}
/** Combines down the rows of [rows..., columns]: out[column] = combine over all rows. Loads have strides over [...rows, columns]. */
export interface ColumnKernel {
  readonly kind: "column";
  readonly rows: Sizes;
  readonly columns: number;
  readonly loads: readonly Operand[];
  readonly combine: Combine;
  readonly value: Expr;
  readonly store: Node;
}
/** store[batch, m, n] = sum over k of a[batch, m, k] * b[batch, k, n]; strides over [...batch, m, k] and [...batch, k, n]. */
export interface MatmulKernel {
  readonly kind: "matmul";
  readonly batch: Sizes;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly store: Node;
}
/** store[g, n, r] = 0 <= id < size ? table[g, id, r] : 0, id = ids[g, n]; strides of table over [...groups, size, ...row], of ids over [...groups, ...count]. */
export interface GatherKernel {
  readonly kind: "gather";
  readonly groups: Sizes;
  readonly count: Sizes;
  readonly row: Sizes;
  readonly size: number;
  readonly table: Operand;
  readonly ids: Operand;
  readonly store: Node;
}
/** store[g, id, r] = sum over n with ids[g, n] = id of updates[g, n, r], in the order of n; strides of updates over [...groups, ...count, ...row]. */
export interface ScatterKernel {
  readonly kind: "scatter";
  readonly groups: Sizes;
  readonly count: Sizes;
  readonly row: Sizes;
  readonly size: number;
  readonly ids: Operand;
  readonly updates: Operand;
  readonly store: Node;
}
/**
 * store = fill, then store[starts + i * steps] = part[i] for every part; `sizes` and the part's strides over its own shape.
 * Parts may be done one after another, each with two buffers: their number is not held to the limit of bindings.
 */
export interface PlaceKernel {
  readonly kind: "place";
  readonly shape: Sizes;
  readonly fill: number;
  readonly parts: readonly {
    readonly from: Operand;
    readonly sizes: Sizes;
    readonly starts: readonly number[];
    readonly steps: readonly number[];
  }[];
  readonly store: Node;
}
/** A kernel written by hand; operands in the order that its description gives, over their own shapes. */
export interface HandKernel {
  readonly kind: "hand";
  readonly does: FusedKernel;
  readonly operands: readonly Operand[];
  readonly store: Node;
}
export type Kernel =
  | HandKernel
  | RowKernel
  | ColumnKernel
  | MatmulKernel
  | GatherKernel
  | ScatterKernel
  | PlaceKernel;

/** The operands of a kernel. */
export function operandsOf(k: Kernel): readonly Operand[] {
  switch (k.kind) {
    case "row":
    case "column":
      return k.loads;
    case "matmul":
      return [k.a, k.b];
    case "gather":
      return [k.table, k.ids];
    case "scatter":
      return [k.ids, k.updates];
    case "place":
      return k.parts.map((p) => p.from);
    case "hand":
      return k.operands;
  }
}

/** The buffers that a kernel reads; counters are none. */
export function readsOf(k: Kernel): Node[] {
  return operandsOf(k).map((o) => o.base).filter((n) => n.kind !== "iota");
}

/** The buffers that a kernel writes. */
export function writesOf(k: Kernel): Node[] {
  return k.kind === "row" ? [...k.stores, ...k.sums ?? []].map((s) => s.node) : [k.store];
}
