/**
 * Builders of nodes: what ops and transforms are written with. They work on any node, never run anything, and skip what does
 * nothing (a reshape to the same shape, a sum over no axis). Shapes must fit; the public ops check them first.
 *
 * @module
 */
import { type DType, fromHost, scalarOf, toHost } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import {
  type Combine,
  makeNode,
  type Node,
  type Placement,
  sameShape,
  type Sizes,
} from "./node.ts";

/** One number of shape [], rounded to its dtype. */
export function constant(value: number, dtype: DType = "f32"): Node {
  const number = fromHost(toHost([value], dtype), dtype)[0]!;
  return makeNode({ kind: "const", shape: [], dtype, inputs: [], number });
}

/** One number repeated to a shape; takes no memory. */
export function full(shape: Sizes, number: number, dtype: DType = "f32"): Node {
  return broadcastTo(constant(number, dtype), shape);
}

/** 0, 1, 2 … n - 1 as i32; takes no memory. */
export function iota(n: number): Node {
  return makeNode({ kind: "iota", shape: [n], dtype: "i32", inputs: [] });
}

/** The index along `axis`, for a tensor of `shape`; takes no memory. */
export function coordinate(shape: Sizes, axis: number): Node {
  return expand(reshape(iota(shape[axis]!), shape.map((n, i) => i === axis ? n : 1)), shape);
}

/** One expression for every element. Inputs are broadcast; the dtype is the expression's, or f16/bf16, to which it is rounded. */
export function map(expr: Expr, inputs: readonly Node[], dtype?: DType): Node {
  const shape = broadcastShape(inputs.map((n) => n.shape));
  const type = dtype ?? expr.dtype;
  if (scalarOf(type) !== expr.dtype) {
    throw new TypeError(`Cannot store ${expr.dtype} as ${type}: scalar types must be equal`);
  }
  const rounded = type === "f16" ? X.roundF16(expr) : type === "bf16" ? X.roundBf16(expr) : expr;
  return makeNode({
    kind: "map",
    shape,
    dtype: type,
    inputs: inputs.map((n) => broadcastTo(n, shape)),
    expr: rounded,
  });
}

/** A map written as a function of its operands. */
export function compute(
  f: (...xs: Expr[]) => Expr,
  inputs: readonly Node[],
  dtype?: DType,
): Node {
  return map(f(...inputs.map((n, i) => X.operand(i, scalarOf(n.dtype)))), inputs, dtype);
}

/** What x is the same numbers of, in two bytes; undefined if it is not. */
export function narrowOf(x: Node): Node | undefined {
  if (x.kind !== "map" || x.dtype !== "f32" || x.expr.op !== "in") return undefined;
  const from = x.inputs[0]!;
  return from.dtype === "f16" || from.dtype === "bf16" ? from : undefined;
}

/** Conversion by value. Two bytes made four, and two again, are what they were. */
export function cast(x: Node, dtype: DType): Node {
  if (x.dtype === dtype) return x;
  const narrow = narrowOf(x);
  if (narrow?.dtype === dtype) return narrow;
  return compute((e) => X.cast(e, scalarOf(dtype)), [x], dtype);
}

/** Combines over axes, which stay with size 1. f16 and bf16 are combined in f32 and rounded once. */
export function reduce(combine: Combine, x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x;
  if (scalarOf(x.dtype) !== x.dtype) return cast(reduce(combine, cast(x, "f32"), axes), x.dtype);
  const shape = x.shape.map((n, i) => axes.includes(i) ? 1 : n);
  const ascending = [...axes].sort((p, q) => p - q);
  return makeNode({ kind: "reduce", shape, dtype: x.dtype, inputs: [x], combine, axes: ascending });
}

/** [..., M, K] by [..., K, N], leading axes equal, summed and kept in f32. */
export function product(a: Node, b: Node): Node {
  const shape = [...a.shape.slice(0, -1), b.shape.at(-1)!];
  return makeNode({ kind: "matmul", shape, dtype: "f32", inputs: [a, b] });
}

/** The product, rounded to the dtype of the factors. */
export function matmul(a: Node, b: Node): Node {
  return cast(product(a, b), a.dtype);
}

export function reshape(x: Node, shape: Sizes): Node {
  if (sameShape(x.shape, shape)) return x;
  const from = x.kind === "reshape" ? x.inputs[0]! : x;
  if (sameShape(from.shape, shape)) return from;
  return makeNode({ kind: "reshape", shape, dtype: x.dtype, inputs: [from] });
}

export function permute(x: Node, axes: readonly number[]): Node {
  if (axes.every((a, i) => a === i)) return x;
  return makeNode({
    kind: "permute",
    shape: axes.map((a) => x.shape[a]!),
    dtype: x.dtype,
    inputs: [x],
    axes,
  });
}

/** Swaps the last two axes. */
export function transpose(x: Node): Node {
  const r = x.shape.length;
  return permute(x, [...Array(r - 2).keys(), r - 1, r - 2]);
}

/** Moves an axis from one place to another. */
export function moveAxis(x: Node, from: number, to: number): Node {
  const axes = [...x.shape.keys()].filter((i) => i !== from);
  axes.splice(to, 0, from);
  return permute(x, axes);
}

/** Repeats axes of size 1; the rank stays. */
export function expand(x: Node, shape: Sizes): Node {
  if (sameShape(x.shape, shape)) return x;
  return makeNode({ kind: "expand", shape, dtype: x.dtype, inputs: [x] });
}

/** Adds leading axes and repeats axes of size 1. */
export function broadcastTo(x: Node, shape: Sizes): Node {
  const ones = new Array<number>(shape.length - x.shape.length).fill(1);
  return expand(reshape(x, [...ones, ...x.shape]), shape);
}

/** The shape that these broadcast to; they must fit. */
export function broadcastShape(shapes: readonly Sizes[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[i - rank + s.length] ?? 1);
    return sizes.find((n) => n !== 1) ?? 1;
  });
}

export function slice(
  x: Node,
  starts: readonly number[],
  sizes: Sizes,
  steps: readonly number[] = starts.map(() => 1),
): Node {
  if (sameShape(x.shape, sizes) && starts.every((s) => s === 0) && steps.every((s) => s === 1)) {
    return x;
  }
  return makeNode({ kind: "slice", shape: sizes, dtype: x.dtype, inputs: [x], starts, steps });
}

/** Elements from..to of one axis. */
export function sliceAxis(x: Node, axis: number, from: number, to: number): Node {
  const starts = x.shape.map((_, i) => i === axis ? from : 0);
  return slice(x, starts, x.shape.with(axis, to - from));
}

/** The elements of one axis in the opposite order. */
export function flip(x: Node, axis: number): Node {
  const start = Math.max(0, x.shape[axis]! - 1);
  const ones = x.shape.map(() => 1);
  return slice(x, x.shape.map((_, i) => i === axis ? start : 0), x.shape, ones.with(axis, -1));
}

/** Parts put into a tensor of `fill`. */
export function place(
  shape: Sizes,
  parts: readonly Node[],
  placements: readonly Placement[],
  fill = 0,
): Node {
  return makeNode({
    kind: "place",
    shape,
    dtype: parts[0]!.dtype,
    inputs: parts,
    fill,
    placements,
  });
}

/** Nodes joined along an axis. */
export function concat(xs: readonly Node[], axis: number): Node {
  const [first] = xs as readonly [Node, ...Node[]], steps = first.shape.map(() => 1);
  if (xs.length === 1) return first;
  let from = 0;
  const placements = xs.map((x): Placement => {
    const starts = x.shape.map((_, i) => i === axis ? from : 0);
    from += x.shape[axis]!;
    return { starts, steps };
  });
  return place(first.shape.with(axis, from), xs, placements);
}

/** x [...G, V, ...R] at ids [...G, ...N], G of rank `batch`. */
export function gather(x: Node, ids: Node, batch = 0): Node {
  const shape = [...ids.shape, ...x.shape.slice(batch + 1)];
  return makeNode({ kind: "gather", shape, dtype: x.dtype, inputs: [x, ids], batch });
}

/** The transpose of gather: sums updates [...G, ...N, ...R] into [...G, size, ...R]. */
export function scatter(ids: Node, updates: Node, size: number, batch = 0): Node {
  if (scalarOf(updates.dtype) !== updates.dtype) {
    return cast(scatter(ids, cast(updates, "f32"), size, batch), updates.dtype);
  }
  const rank = ids.shape.length;
  const shape = [...ids.shape.slice(0, batch), size, ...updates.shape.slice(rank)];
  return makeNode({ kind: "scatter", shape, dtype: updates.dtype, inputs: [ids, updates], batch });
}

/** x under a new identity, which is part of a trace; computed after `after`. */
export function alias(x: Node, after: readonly Node[] = []): Node {
  return makeNode({ kind: "alias", shape: x.shape, dtype: x.dtype, inputs: [x, ...after] });
}

/** Do two parts of a placement share no element? Steps of 1 only. */
function apart(
  a: { readonly part: Node; readonly at: Placement },
  b: { readonly part: Node; readonly at: Placement },
): boolean {
  return a.part.shape.some((n, k) =>
    a.at.starts[k]! + n <= b.at.starts[k]! || b.at.starts[k]! + b.part.shape[k]! <= a.at.starts[k]!
  );
}

/**
 * a + b; parts placed into zeros apart from each other are placed together, as when a tensor was taken apart and every part
 * has sent its cotangent back.
 */
export function sumOf(a: Node, b: Node): Node {
  if (a.kind !== "place" || b.kind !== "place" || a.fill !== 0 || b.fill !== 0) return add(a, b);
  const partsOf = (n: typeof a) => n.inputs.map((part, i) => ({ part, at: n.placements[i]! }));
  const [left, right] = [partsOf(a), partsOf(b)], all = [...left, ...right];
  const plain = all.every(({ at }) => at.steps.every((s) => s === 1));
  if (!plain || !left.every((p) => right.every((q) => apart(p, q)))) return add(a, b);
  return place(a.shape, all.map(({ part }) => part), all.map(({ at }) => at));
}

export const add = (a: Node, b: Node): Node => compute(X.add, [a, b], a.dtype);
export const mul = (a: Node, b: Node): Node => compute(X.mul, [a, b], a.dtype);
