/**
 * Work items: what is left of a graph once movement and constants have dissolved. An item fills one buffer. Items are what
 * inlining and fusion rearrange; kernels are built from groups of them.
 *
 * @module
 */
import type { Expr } from "../expr/expr.ts";
import type { Combine, Node, Sizes } from "../graph/node.ts";
import type { Kernel, Operand } from "./kernels.ts";
import type { Access } from "./views.ts";

interface Base {
  /** The buffer that is filled. */
  readonly node: Node;
  readonly operands: readonly Operand[];
  /** Buffers that must have been computed before, though they are not read. */
  readonly after: readonly Node[];
}
/** One expression over `space`, which has no axes of size 1 and none that could be merged. */
export interface MapItem extends Base {
  readonly kind: "map";
  readonly space: Sizes;
  readonly expr: Expr;
}
/**
 * A reduction of one expression: "row" over the last axis of `space`, "column" over all but the last, "down" over ROWS_A_SUM rows
 * at a time, where the last axis is a row.
 */
export interface ReduceItem extends Base {
  readonly kind: "row" | "column" | "down";
  readonly space: Sizes;
  readonly expr: Expr;
  readonly combine: Combine;
}
/** Work that stands alone; the kernel is complete. */
export interface LoneItem extends Base {
  readonly kind: "alone";
  readonly kernel: Kernel;
}
/** Items that have an expression. */
export type SpaceItem = MapItem | ReduceItem;
export type Item = SpaceItem | LoneItem;

/** Text that is equal for equal operands. */
export function operandKey(o: Operand): string {
  return `${o.base.id}:${o.offset}:${o.strides}`;
}

/** The number of an operand in a growing list, of which the first so many may be equal to it. */
export function operandNumber(
  operands: Operand[],
  base: Node,
  { offset, strides }: Access,
  among = Infinity,
): number {
  const count = Math.min(among, operands.length);
  for (let i = 0; i < count; i++) {
    const o = operands[i]!;
    if (o.base === base && o.offset === offset && sameStrides(o.strides, strides)) return i;
  }
  return operands.push({ base, offset, strides }) - 1;
}

function sameStrides(a: readonly number[], b: readonly number[]): boolean {
  return a.every((s, i) => s === b[i]);
}

/** Without the work that nobody needs. Who waits for such work waits for what it would have read. */
export function alive(items: readonly Item[], results: readonly Node[]): Item[] {
  const needed = new Set(results), standIns = new Map<Node, readonly Node[]>();
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]!;
    if (needed.has(item.node)) item.operands.forEach((o) => needed.add(o.base));
  }
  const living = items.filter((item) => needed.has(item.node));
  if (living.every((item) => item.after.every((n) => needed.has(n)))) return living;
  return items.flatMap((item) => {
    const after = [...new Set(item.after.flatMap((n) => standIns.get(n) ?? []))];
    const kept = needed.has(item.node);
    const read = item.operands.flatMap((o) => standIns.get(o.base) ?? []);
    standIns.set(item.node, kept ? [item.node] : [...new Set([...read, ...after])]);
    return kept ? [{ ...item, after }] : [];
  });
}
