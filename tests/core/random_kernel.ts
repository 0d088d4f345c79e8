/** Random kernels of one kind with random views: any offset, repeated axes, transposed, with gaps, backwards. */
import * as X from "../../core/expr/expr.ts";
import { type Expr, operand } from "../../core/expr/expr.ts";
import { type DType, scalarOf } from "../../core/dtype.ts";
import type { Graph } from "../../core/device/device.ts";
import { type Combine, makeNode, type Node, sizeOf, type Sizes } from "../../core/graph/node.ts";
import {
  type Kernel,
  type Operand,
  readsOf,
  REDUCED,
  type RowReduction,
  ROWS_A_SUM,
  type RowStore,
  writesOf,
} from "../../core/plan/kernels.ts";
import type { Plan } from "../../core/plan/plan.ts";
import type { Draw } from "./random_graph.ts";

function leaf(size: number, dtype: DType): Node {
  return makeNode({ kind: "input", shape: [Math.max(1, size)], dtype, inputs: [] });
}

/** A view over a space: of a packed matrix in some order of axes, with gaps, repeats and reversals now and then. */
export function randomView(draw: Draw, space: Sizes, dtype: DType = "f32"): Operand {
  const order = [...space.keys()].reverse();
  if (draw(3) === 0) order.sort(() => draw(3) - 1);
  const strides = new Array<number>(space.length).fill(0);
  let step = draw(4) ? 1 : 2, offset = draw(3) ? 4 * draw(3) : draw(5);
  for (const axis of order) {
    if (draw(6) === 0) continue;
    const backwards = draw(8) === 0;
    strides[axis] = backwards ? -step : step;
    if (backwards) offset += step * (space[axis]! - 1);
    step *= space[axis]! + (draw(5) ? 0 : draw(3));
  }
  return { base: leaf(offset + step, dtype), offset, strides };
}

const sizes: readonly number[] = [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 20, 33, 64];
const size = (draw: Draw): number => sizes[draw(sizes.length)]!;
const shape = (draw: Draw, most: number): number[] =>
  Array.from({ length: draw(most + 1) }, () => 1 + draw(5));
/** One of these; a single one takes no draw. */
const one = (draw: Draw, dtypes: readonly DType[]): DType =>
  dtypes[dtypes.length === 1 ? 0 : draw(dtypes.length)]!;
/** The types that expressions compute in f32. */
export const floats: readonly DType[] = ["f32", "f16", "bf16"];

function stored(dtype: DType, e: Expr): Expr {
  return dtype === "f16" ? X.roundF16(e) : dtype === "bf16" ? X.roundBf16(e) : e;
}

const combines: readonly Combine[] = ["sum", "max", "min"];

function mix(draw: Draw, values: readonly Expr[]): Expr {
  const pick = (): Expr => values[draw(values.length)]!;
  const a = pick(), b = pick();
  switch (draw(5)) {
    case 0:
      return X.tanh(X.add(a, b));
    case 1:
      return X.mul(X.exp(X.neg(X.abs(a))), b);
    case 2:
      return X.select(X.gt(a, b), X.mul(a, 0.5), X.sub(b, a));
    case 3:
      return X.max(X.mul(a, b), X.min(a, 0.25));
    default:
      return X.add(X.mul(a, 0.3), b);
  }
}

/** Maps and reductions in phases, as softmax and layer norm have them. */
export function randomRow(draw: Draw, dtypes: readonly DType[] = ["f32"]): Kernel {
  const outer = shape(draw, 3), inner = draw(8) ? size(draw) : 300 + draw(5);
  const loads = Array.from(
    { length: 1 + draw(3) },
    () => randomView(draw, [...outer, inner], one(draw, dtypes)),
  );
  const xs = loads.map((_, i) => operand(i)), reductions: RowReduction[] = [];
  const values: Expr[] = [...xs];
  for (let phase = 0; phase < draw(4); phase++) {
    const count = 1 + draw(2);
    const made = Array.from({ length: count }, () => mix(draw, values));
    made.forEach((value) => {
      reductions.push({ combine: combines[draw(3)]!, value: X.mul(value, 1 / 64), phase });
    });
    made.forEach((_, i) => values.push(operand(REDUCED + reductions.length - count + i)));
  }
  const store = (size: number, from: readonly Expr[], perRow: boolean): RowStore => {
    const dtype = one(draw, dtypes);
    return { node: leaf(size, dtype), value: stored(dtype, mix(draw, from)), perRow };
  };
  const full = sizeOf(outer) * inner;
  const stores = Array.from({ length: 1 + draw(2) }, () => store(full, values, false));
  const reduced = values.slice(xs.length);
  if (reduced.length && draw(2)) {
    stores.push(store(sizeOf(outer), reduced, true));
  }
  return { kind: "row", outer, inner, loads, reductions, stores };
}

/** The same with sums down the rows, enough of them for several sums. */
export function randomSums(draw: Draw): Kernel {
  const outer = [...shape(draw, 2), 1 + draw(150)], inner = size(draw), space = [...outer, inner];
  const loads = Array.from({ length: 1 + draw(3) }, () => randomView(draw, space));
  const xs: readonly Expr[] = loads.map((_, i) => operand(i)), values = [...xs];
  const reductions: RowReduction[] = draw(2)
    ? [{ combine: "max", value: mix(draw, xs), phase: 0 }]
    : [];
  if (reductions.length) values.push(operand(REDUCED));
  const rows = sizeOf(outer), groups = Math.ceil(rows / ROWS_A_SUM);
  const stores = draw(2)
    ? [{ node: leaf(rows * inner, "f32"), value: mix(draw, values), perRow: false }]
    : [];
  const sums = Array.from(
    { length: 1 + draw(2) },
    () => ({ node: leaf(groups * inner, "f32"), value: X.mul(mix(draw, values), 1 / 64) }),
  );
  return { kind: "row", outer, inner, loads, reductions, stores, sums };
}

export function randomColumn(draw: Draw, dtypes: readonly DType[] = ["f32"]): Kernel {
  const rows = draw(3) ? shape(draw, 3) : [50 + draw(40)], columns = size(draw);
  const loads = [0, 1].map(() => randomView(draw, [...rows, columns], one(draw, dtypes)));
  return {
    kind: "column",
    rows,
    columns,
    loads,
    combine: combines[draw(3)]!,
    value: mix(draw, [operand(0), operand(1)]),
    store: leaf(columns, "f32"),
  };
}

export function randomMatmul(draw: Draw, dtypes: readonly DType[] = ["f32"]): Kernel {
  const large = draw(3) === 0, batch = large ? [1 + draw(2)] : shape(draw, 2);
  const side = (): number => large ? [64, 70, 128, 97][draw(4)]! : size(draw);
  const m = side(), n = side(), k = draw(10) ? side() : 0;
  return {
    kind: "matmul",
    batch,
    m,
    n,
    k,
    a: randomView(draw, [...batch, m, k], one(draw, dtypes)),
    b: randomView(draw, [...batch, k, n], one(draw, dtypes)),
    store: leaf(sizeOf(batch) * m * n, "f32"),
  };
}

const movable: readonly DType[] = ["f32", "i32", "u32", "bool", "f16", "bf16"];

export function randomGather(draw: Draw): Kernel {
  const groups = shape(draw, 2), count = shape(draw, 2), row = draw(4) ? [size(draw)] : [3, 4];
  const dtype = movable[draw(movable.length)]!, rows = 1 + draw(20);
  const r = draw(4) ? row : [];
  return {
    kind: "gather",
    groups,
    count,
    row: r,
    size: rows,
    table: randomView(draw, [...groups, rows, ...r], dtype),
    ids: randomView(draw, [...groups, ...count], "i32"),
    store: leaf(sizeOf([...groups, ...count, ...r]), dtype),
  };
}

export function randomScatter(draw: Draw): Kernel {
  const groups = shape(draw, 2), count = draw(2) ? shape(draw, 2) : [40 + draw(40)];
  const dtype = (["f32", "i32", "u32"] as const)[draw(3)]!, rows = 1 + draw(20);
  const row = draw(3) ? [size(draw)] : draw(2) ? [] : [3, 4];
  return {
    kind: "scatter",
    groups,
    count,
    row,
    size: rows,
    ids: randomView(draw, [...groups, ...count], "i32"),
    updates: randomView(draw, [...groups, ...count, ...row], dtype),
    store: leaf(sizeOf([...groups, rows, ...row]), dtype),
  };
}

/** Parts beside each other along one axis, each with its own step. */
export function randomPlace(draw: Draw): Kernel {
  const others = shape(draw, 2), dtype = movable[draw(movable.length)]!;
  const axis = draw(others.length + 1), count = 1 + draw(draw(4) ? 4 : 12);
  let end = draw(3);
  const parts = Array.from({ length: count }, () => {
    const n = draw(2) ? 4 * (1 + draw(3)) : 1 + draw(6), step = draw(4) ? 1 : 2 + draw(2);
    const backwards = draw(5) === 0, around = others.map((s) => 1 + draw(s));
    const sizes = [...around.slice(0, axis), n, ...around.slice(axis)];
    const starts: number[] = sizes.map((s, i) => {
      const room = i < axis ? others[i]! : others[i - 1]!;
      return i === axis ? end + (backwards ? step * (n - 1) : 0) : draw(room - s + 1);
    });
    end += step * (n - 1) + 1 + (draw(2) ? 0 : draw(3));
    const steps = sizes.map((_, i) => i === axis ? backwards ? -step : step : 1);
    return { from: randomView(draw, sizes, dtype), sizes, starts, steps };
  });
  const full = [...others.slice(0, axis), end + draw(3), ...others.slice(axis)];
  const fill = dtype === "bool" ? draw(2) : draw(5);
  return { kind: "place", shape: full, fill, parts, store: leaf(sizeOf(full), dtype) };
}

/** Kernels of every kind that a backend has, and of those that compute floats also over all of their types. */
export const kinds = {
  row: randomRow,
  column: randomColumn,
  matmul: randomMatmul,
  gather: randomGather,
  scatter: randomScatter,
  place: randomPlace,
  "row of mixed floats": (draw: Draw): Kernel => randomRow(draw, floats),
  "column of mixed floats": (draw: Draw): Kernel => randomColumn(draw, floats),
  "matmul of mixed floats": (draw: Draw): Kernel => randomMatmul(draw, floats),
} as const satisfies Readonly<Record<string, (draw: Draw) => Kernel>>;

/** The name of a kind. */
export type Kind = keyof typeof kinds;

/** A kernel alone as a planned graph: what it reads are inputs, what it writes are outputs. */
export function aloneInPlan(k: Kernel): { readonly graph: Graph; readonly plan: Plan } {
  const inputs = [...new Set(readsOf(k))], outputs = writesOf(k);
  const nodes = [...inputs, ...outputs];
  const slots = nodes.map((n, i) => ({
    role: i < inputs.length ? "input" as const : "output" as const,
    index: i < inputs.length ? i : i - inputs.length,
    words: sizeOf(n.shape),
  }));
  const slotOf = new Map(nodes.map((n, i) => [n, i]));
  return {
    graph: { inputs, outputs, donations: new Map() },
    plan: { kernels: [k], slots, slotOf, copies: [], composed: [] },
  };
}

/** Values that any dtype can hold, ids among them inside and outside of a table. */
export function someValues(draw: Draw, n: Node): Float64Array {
  const type = scalarOf(n.dtype), exact = n.dtype === "f16" || n.dtype === "bf16";
  return Float64Array.from({ length: sizeOf(n.shape) }, () => {
    const v = draw(1 << 16);
    if (type === "bool") return v & 1;
    if (type === "i32") return v % 25 - 3;
    if (type === "u32") return v % 5 ? v : 4294967295 - v;
    return exact ? (v % 64 - 32) / 8 : Math.fround(v / 16384 - 2);
  });
}
