/**
 * Where items are made. Work is numbered by what it computes, so equal work is done once: common subexpressions merge
 * here, after movement has dissolved, whatever shapes they wore. A barrier is part of the number: work is never merged
 * across it, or a checkpoint would find its forward pass instead of recomputing it.
 *
 * @module
 */
import { type DType, scalarOf } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { compile } from "../expr/javascript.ts";
import { makeNode, type Node, sizeOf, type Sizes } from "../graph/node.ts";
import { type Item, operandKey, operandNumber, type SpaceItem } from "./items.ts";
import type { Kernel, Operand } from "./kernels.ts";
import { operandsOf } from "./kernels.ts";
import { tidied } from "./tidy.ts";
import { type Barrier, isPacked, packed, type View, wholeView } from "./views.ts";

/** A node's value: one expression without operands for all elements, or a view of a buffer. */
export type Value = Expr | View;

export function isUniform(v: Value): v is Expr {
  return "op" in v;
}

/** Everything that has been made so far. */
export interface Emitter {
  readonly items: Item[];
  readonly made: Map<string, Node>;
  readonly makers: Set<Node>;
}

export function emitter(): Emitter {
  return { items: [], made: new Map(), makers: new Set() };
}

/** Computes what is constant. NaN stays an expression: its bits must not pass through JavaScript. */
export function fold(e: Expr): Expr {
  return X.rewrite(e, (n, args) => {
    const built = args.length ? X.rebuild(n, args) : n;
    if (!built.args.length || !built.args.every((a) => a.op === "const")) return built;
    const value = compile(built)([]);
    return Number.isNaN(value) ? built : X.constant(value, built.dtype);
  });
}

/** A buffer of the planner's own. */
export function newBuffer(shape: Sizes, dtype: DType): Node {
  return makeNode({ kind: "map", expr: X.operand(0, scalarOf(dtype)), shape, dtype, inputs: [] });
}

/** The view of `shape` on the whole of a buffer that may have another shape. */
export function viewOn(base: Node, shape: Sizes): View {
  return { ...wholeView(base), shape, strides: packed(shape) };
}

export function barriersOf(values: readonly Value[]): Barrier[] {
  return [...new Set(values.flatMap((v) => isUniform(v) ? [] : v.barriers))];
}

/** Adds the item unless its work is done already; gives the buffer that holds it. */
function number(e: Emitter, key: string, barriers: readonly Barrier[], make: () => Item): Node {
  const whole = barriers.length ? `${key}|${barriers.map((b) => b.id).sort()}` : key;
  const known = e.made.get(whole);
  if (known) return known;
  const item = make();
  e.items.push(item);
  e.made.set(whole, item.node);
  e.makers.add(item.node);
  return item.node;
}

function afterOf(barriers: readonly Barrier[]): Node[] {
  return [...new Set(barriers.flatMap((b) => b.after))];
}

/** Adds a map or a reduction whose node is `item.node` if it is new. */
export function addItem(
  e: Emitter,
  item: SpaceItem,
  barriers: readonly Barrier[],
): Node {
  const { kind, space, expr, operands } = item;
  const combine = item.kind === "map" ? "" : item.combine;
  const key = [kind, combine, item.node.dtype, space, expr.id, ...operands.map(operandKey)].join(
    "|",
  );
  return number(e, key, barriers, () => ({ ...item, after: afterOf(barriers) }));
}

/** A map of values of one shape, into `node`. */
export function addMap(e: Emitter, node: Node, expr: Expr, values: readonly Value[]): Node {
  const operands: Operand[] = [];
  const exprs = values.map((v) => {
    if (isUniform(v)) return v;
    // A counter that stands still is a constant.
    if (v.base.kind === "iota" && v.strides.every((s) => s === 0)) {
      return X.constant(v.offset, "i32");
    }
    return X.operand(operandNumber(operands, v.base, v), scalarOf(v.base.dtype));
  });
  const joint = X.substitute(expr, exprs),
    made = exprs.some((x) => x.op === "const") ? fold(joint) : joint;
  const item = { kind: "map" as const, node, space: node.shape, operands, expr: made, after: [] };
  return addItem(e, tidied(item), barriersOf(values));
}

/** A contiguous buffer of its own for a value. */
export function copied(e: Emitter, v: Value, shape: Sizes, dtype: DType): View {
  const node = newBuffer(shape, dtype);
  return viewOn(addMap(e, node, X.operand(0, scalarOf(dtype)), [v]), shape);
}

/** A view of a real buffer: uniform values get one element, counters are written out. */
export function stored(e: Emitter, v: Value, shape: Sizes, dtype: DType): View {
  if (isUniform(v)) {
    const one = copied(e, v, [], dtype);
    return { ...one, shape, strides: shape.map(() => 0) };
  }
  return v.base.kind === "iota" ? copied(e, v, shape, dtype) : v;
}

/** Adds work that stands alone. */
export function addLone(
  e: Emitter,
  kernel: Kernel & { store: Node },
  views: readonly View[],
): Node {
  const barriers = barriersOf(views), node = kernel.store;
  const key = JSON.stringify(kernel, (name, value: unknown) => {
    if (name === "base") return (value as Node).id;
    if (name === "store") return node.dtype;
    // JSON has no words for these.
    return typeof value !== "number" || isFinite(value) && !Object.is(value, -0)
      ? value
      : Object.is(value, -0)
      ? "-0"
      : String(value);
  });
  return number(e, key, barriers, () => ({
    kind: "alone",
    node,
    kernel,
    operands: operandsOf(kernel),
    after: afterOf(barriers),
  }));
}

/** Is the view all of a buffer, in order? */
export function isWhole(v: View): boolean {
  return isPacked(v.shape, v) && sizeOf(v.shape) === sizeOf(v.base.shape);
}
