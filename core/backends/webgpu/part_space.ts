/**
 * The space of a part: its axes, what each of its buffers is touched by along them, and the part that is left of it where an axis
 * is narrowed. Axes that are summed over come into it too: parts of a sum add up.
 *
 * @module
 */
import { type AttentionKernel, attentionOperands } from "../../graph/fused_kernel.ts";
import { type Node, sizeOf, type Sizes } from "../../graph/node.ts";
import { type Operand, operandsOf, type RowKernel } from "../../plan/kernels.ts";
import type { Access } from "../../plan/views.ts";
import type { Part, PlacePart } from "./part.ts";

/** How a part touches a buffer: element `offset` + coordinates · strides; `sizes` are those of the space, or of a part that is placed into it. */
export interface Use extends Access {
  readonly node: Node;
  readonly sizes: Sizes;
  readonly write: boolean;
}

export interface PartSpace {
  readonly sizes: Sizes;
  /** Axes from this one on are not cut. */
  readonly fixed: number;
  /** Operands, then stores. */
  readonly uses: readonly Use[];
}

const zeros = (axes: Sizes): number[] => axes.map(() => 0);

/** Axes, and for every operand and store its strides over them. */
function strided(p: Exclude<Part, { kind: "place" | "hand" }>): {
  readonly sizes: Sizes;
  readonly operands: readonly (readonly number[])[];
  readonly stores: readonly (readonly number[])[];
} {
  switch (p.kind) {
    case "row":
      return {
        sizes: [...p.outer, p.inner],
        operands: p.loads.map((l) => l.strides),
        stores: p.stores.map((s) => s.into!.strides),
      };
    case "column":
      return {
        sizes: [...p.rows, p.columns],
        operands: p.loads.map((l) => l.strides),
        stores: [[...zeros(p.rows), ...p.into!.strides]],
      };
    case "matmul": {
      const r = p.batch.length, a = p.a.strides, b = p.b.strides, c = p.into!.strides;
      return {
        sizes: [...p.batch, p.m, p.n, p.k],
        operands: [
          [...a.slice(0, r), a[r]!, 0, a[r + 1]!],
          [...b.slice(0, r), 0, b[r + 1]!, b[r]!],
        ],
        stores: [[...c, 0]],
      };
    }
    case "gather": {
      const { groups, count, row } = p, g = groups.length, t = p.table.strides;
      return {
        sizes: [...groups, ...count, ...row, p.size],
        operands: [
          [...t.slice(0, g), ...zeros(count), ...t.slice(g + 1), t[g]!],
          [...p.ids.strides, ...zeros(row), 0],
        ],
        stores: [[...p.into!.strides, 0]],
      };
    }
    case "scatter": {
      const { groups, count, row } = p, g = groups.length, s = p.into!.strides;
      return {
        sizes: [...groups, ...count, ...row, p.size],
        operands: [[...p.ids.strides, ...zeros(row), 0], [...p.updates.strides, 0]],
        stores: [[...s.slice(0, g), ...zeros(count), ...s.slice(g + 1), s[g]!]],
      };
    }
  }
}

/** Where each store begins. */
function storesOf(p: Part): readonly { readonly node: Node; readonly offset: number }[] {
  switch (p.kind) {
    case "row":
      return p.stores.map(({ node, into }) => ({ node, offset: into!.offset }));
    case "hand":
      return [{ node: p.store, offset: 0 }];
    default:
      return [{ node: p.store, offset: p.into!.offset }];
  }
}

/** The shape of each operand of attention; what comes from its own forward pass is a line of numbers. */
function handShapes(does: AttentionKernel, operands: readonly Operand[]): Sizes[] {
  const { B, H, T, K, R } = does, vectors = [B, H, T, K], terms = [B, H, T, R];
  const shapes = {
    q: vectors,
    k: vectors,
    v: vectors,
    dOut: vectors,
    rows: [2 * T - 1],
    keep: [B, T],
    bias: [B, H, R],
    keyTerm: terms,
    queryTerm: terms,
    dSums: terms,
    keys: [B, 2],
  };
  return attentionOperands(does).map((name, i) =>
    name === "forward" ? [sizeOf(operands[i]!.base.shape)] : shapes[name]
  );
}

/** Is every element for itself? */
export function isPure({ reductions, stores }: RowKernel): boolean {
  return !reductions.length && !stores.some((s) => s.perRow);
}

/** The space of a part made by `wholePart` or from one. */
export function partSpace(p: Part): PartSpace {
  const operands = operandsOf(p), stores = storesOf(p);
  if (p.kind === "place" || p.kind === "hand") {
    const shapes = p.kind === "place" ? p.parts.map((x) => x.sizes) : handShapes(p.does, operands);
    const own = p.kind === "place"
      ? { sizes: p.shape, strides: p.into!.strides }
      : { sizes: [sizeOf(p.store.shape)], strides: [1] };
    return {
      sizes: p.kind === "place" ? p.shape : [],
      fixed: p.kind === "place" ? p.shape.length : 0,
      uses: [
        ...operands.map((o, i) => ({
          node: o.base,
          offset: o.offset,
          strides: o.strides,
          sizes: shapes[i]!,
          write: false,
        })),
        ...stores.map((s) => ({ ...s, ...own, write: true })),
      ],
    };
  }
  const { sizes, operands: reads, stores: writes } = strided(p);
  // What a row comes to needs all of it.
  const whole = p.kind === "row" && !isPure(p);
  return {
    sizes,
    fixed: sizes.length - (whole ? 1 : 0),
    uses: [
      ...operands.map(({ base, offset }, i) => ({
        node: base,
        offset,
        strides: reads[i]!,
        sizes,
        write: false,
      })),
      ...stores.map((s, i) => ({ ...s, strides: writes[i]!, sizes, write: true })),
    ],
  };
}

/** Another buffer, and where in it an operand or store begins. */
export interface Moved {
  readonly node: Node;
  readonly offset: number;
}

/** The same part with its operands and stores, in the order of its uses, elsewhere. */
export function movedPart(p: Part, to: readonly Moved[]): Part {
  const at = <O extends Operand>(o: O, i: number): O => ({
    ...o,
    base: to[i]!.node,
    offset: to[i]!.offset,
  });
  const last = to.at(-1)!, store = last.node;
  if (p.kind === "hand") return { ...p, operands: p.operands.map(at), store };
  if (p.kind === "row") {
    const stores = p.stores.map((s, i) => {
      const { node, offset } = to[p.loads.length + i]!;
      return { ...s, node, into: { ...s.into!, offset } };
    });
    return { ...p, loads: p.loads.map(at), stores };
  }
  const into = { ...p.into!, offset: last.offset };
  switch (p.kind) {
    case "column":
      return { ...p, loads: p.loads.map(at), store, into };
    case "matmul":
      return { ...p, a: at(p.a, 0), b: at(p.b, 1), store, into };
    case "gather":
      return { ...p, table: at(p.table, 0), ids: at(p.ids, 1), store, into };
    case "scatter":
      return { ...p, ids: at(p.ids, 0), updates: at(p.updates, 1), store, into };
    case "place":
      return { ...p, parts: p.parts.map((x, i) => ({ ...x, from: at(x.from, i) })), store, into };
  }
}

/** Of every part that is placed what falls into from .. from + size of an axis. */
function narrowedPlace(p: PlacePart, axis: number, from: number, size: number): PlacePart {
  const parts = p.parts.flatMap((x) => {
    const step = x.steps[axis]!, start = x.starts[axis]! - from;
    const reach = (at: number): number => Math.ceil((at - start) / step);
    const [first, end] = step > 0
      ? [reach(0), reach(size)]
      : [reach(size - 1), Math.floor(-start / step) + 1];
    const low = Math.max(0, first), high = Math.min(x.sizes[axis]!, end);
    if (low >= high) return [];
    const offset = x.from.offset + low * x.from.strides[axis]!;
    return [{
      ...x,
      from: { ...x.from, offset },
      sizes: x.sizes.with(axis, high - low),
      starts: x.starts.with(axis, start + low * step),
    }];
  });
  const offset = p.into!.offset + from * p.into!.strides[axis]!;
  return { ...p, shape: p.shape.with(axis, size), parts, into: { ...p.into!, offset } };
}

/** From `from` on `size` of the elements along an axis of the space. */
export function narrowedPart(p: Part, axis: number, from: number, size: number): Part {
  if (p.kind === "place") return narrowedPlace(p, axis, from, size);
  const { uses } = partSpace(p);
  const q = movedPart(
    p,
    uses.map(({ node, offset, strides }) => ({ node, offset: offset + from * strides[axis]! })),
  );
  const within = (sizes: Sizes, first: number): Sizes =>
    axis >= first && axis < first + sizes.length ? sizes.with(axis - first, size) : sizes;
  const single = (n: number, at: number): number => axis === at ? size : n;
  switch (q.kind) {
    case "row":
      return { ...q, outer: within(q.outer, 0), inner: single(q.inner, q.outer.length) };
    case "column": {
      const r = q.rows.length, adds = q.adds || axis < r && from > 0;
      return { ...q, rows: within(q.rows, 0), columns: single(q.columns, r), adds };
    }
    case "matmul": {
      const r = q.batch.length, adds = q.adds || axis === r + 2 && from > 0;
      const [m, n, k] = [single(q.m, r), single(q.n, r + 1), single(q.k, r + 2)];
      return { ...q, batch: within(q.batch, 0), m, n, k, adds };
    }
    case "gather":
    case "scatter": {
      const g = q.groups.length, c = g + q.count.length, r = c + q.row.length;
      const first = (q.first ?? 0) + (axis === r ? from : 0);
      const sizes = {
        groups: within(q.groups, 0),
        count: within(q.count, g),
        row: within(q.row, c),
        size: single(q.size, r),
        first,
      };
      if (q.kind === "gather") return { ...q, ...sizes };
      return { ...q, ...sizes, adds: q.adds || axis >= g && axis < c && from > 0 };
    }
    case "place":
    case "hand":
      return q;
  }
}
