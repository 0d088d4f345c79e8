/**
 * Runs a plan on plain arrays, straight from its kernels, slots included: what a backend does, as obviously right as it can
 * be. Memory is one array of numbers a slot; scratch starts as NaN, so that a slot taken too early shows.
 */
import type { Graph } from "../../core/device/device.ts";
import { compile } from "../../core/expr/javascript.ts";
import type { Expr } from "../../core/expr/expr.ts";
import type { Combine, Node, Sizes } from "../../core/graph/node.ts";
import { sizeOf, stridesOf } from "../../core/graph/node.ts";
import {
  type Kernel,
  type Operand,
  REDUCED,
  type RowKernel,
  ROWS_A_SUM,
} from "../../core/plan/kernels.ts";
import type { Plan } from "../../core/plan/plan.ts";

type Memory = (n: Node) => Float64Array;
const round: Record<string, (v: number) => number> = {
  f32: Math.fround,
  f16: Math.fround,
  bf16: Math.fround,
  i32: (v) => v | 0,
  u32: (v) => v >>> 0,
  bool: (v) => v,
};
const combine: Record<Combine, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
  peak: Math.max,
};
const start: Record<Combine, number> = {
  sum: 0,
  max: -Infinity,
  min: Infinity,
  peak: -Infinity,
};

/** Calls f for every coordinate of a shape, from the last to the first if `backwards`: no kernel may depend on the order. */
function each(shape: Sizes, backwards: boolean, f: (at: number[]) => void): void {
  const size = sizeOf(shape), strides = stridesOf(shape);
  for (let i = 0; i < size; i++) {
    const at = backwards ? size - 1 - i : i;
    f(shape.map((n, k) => Math.floor(at / strides[k]!) % n));
  }
}
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);

function load(memory: Memory, o: Operand, at: readonly number[]): number {
  if (o.strides.length !== at.length) {
    throw new RangeError(`Cannot read at ${at} with strides ${o.strides}`);
  }
  const i = o.offset + dot(at, o.strides);
  if (o.base.kind === "iota") return i;
  if (!(i >= 0 && i < sizeOf(o.base.shape))) {
    throw new RangeError(`Cannot read ${i} of ${o.base.shape}`);
  }
  return memory(o.base)[i]!;
}

function row(k: RowKernel, memory: Memory, backwards: boolean): void {
  const run = new Map<Expr, (xs: readonly number[]) => number>();
  for (const { value } of [...k.reductions, ...k.stores, ...k.sums ?? []]) {
    run.set(value, compile(value));
  }
  const value = (e: Expr, at: readonly number[], reduced: readonly number[]): number => {
    const xs: number[] = k.loads.map((o) => load(memory, o, at));
    reduced.forEach((r, i) => xs[REDUCED + i] = r);
    return run.get(e)!(xs);
  };
  const inner = [k.inner], sums = k.sums ?? [];
  for (const s of sums) memory(s.node).fill(0, 0, sizeOf(s.node.shape));
  each(k.outer, backwards, (outer) => {
    const reduced: number[] = [];
    const phases = [...new Set(k.reductions.map((r) => r.phase))].sort((p, q) => p - q);
    for (const phase of phases) {
      k.reductions.forEach((r, i) => {
        if (r.phase !== phase) return;
        let sum = start[r.combine];
        each(inner, backwards, (at) => {
          sum = combine[r.combine](sum, value(r.value, [...outer, ...at], reduced));
        });
        reduced[i] = round[r.value.dtype]!(sum);
      });
    }
    const index = dot(outer, stridesOf(k.outer));
    for (const s of k.stores.filter((s) => s.perRow)) {
      memory(s.node)[index] = value(s.value, [...outer, 0], reduced);
    }
    each(inner, backwards, (at) => {
      const full = k.stores.filter((s) => !s.perRow);
      const values = full.map((s) => value(s.value, [...outer, ...at], reduced));
      const added = sums.map((s) => value(s.value, [...outer, ...at], reduced));
      full.forEach((s, i) => memory(s.node)[index * k.inner + at[0]!] = values[i]!);
      const group = Math.floor(index / ROWS_A_SUM) * k.inner + at[0]!;
      sums.forEach((s, i) => memory(s.node)[group]! += added[i]!);
    });
  });
}

function runKernel(k: Kernel, memory: Memory, backwards: boolean): void {
  if (k.kind === "row") return row(k, memory, backwards);
  const out = memory(k.store);
  switch (k.kind) {
    case "column": {
      const f = compile(k.value);
      each([k.columns], backwards, ([column]) => {
        let sum = start[k.combine];
        each(k.rows, backwards, (at) => {
          sum = combine[k.combine](sum, f(k.loads.map((o) => load(memory, o, [...at, column!]))));
        });
        out[column!] = round[k.store.dtype]!(sum);
      });
      return;
    }
    case "matmul":
      return each([...k.batch, k.m, k.n], backwards, (at) => {
        const batch = at.slice(0, -2), [m, n] = at.slice(-2) as [number, number];
        let sum = 0;
        for (let j = 0; j < k.k; j++) {
          sum += load(memory, k.a, [...batch, m, j]) * load(memory, k.b, [...batch, j, n]);
        }
        out[dot(at, stridesOf([...k.batch, k.m, k.n]))] = Math.fround(sum);
      });
    case "gather": {
      const shape = [...k.groups, ...k.count, ...k.row],
        g = k.groups.length,
        n = g + k.count.length;
      return each(shape, backwards, (at) => {
        const id = load(memory, k.ids, at.slice(0, n));
        out[dot(at, stridesOf(shape))] = id >= 0 && id < k.size
          ? load(memory, k.table, [...at.slice(0, g), id, ...at.slice(n)])
          : 0;
      });
    }
    case "scatter": {
      const shape = [...k.groups, k.size, ...k.row], g = k.groups.length;
      out.fill(0, 0, sizeOf(shape));
      each([...k.groups, ...k.count, ...k.row], false, (at) => {
        const n = g + k.count.length, id = load(memory, k.ids, at.slice(0, n));
        if (id < 0 || id >= k.size) return;
        const to = dot([...at.slice(0, g), id, ...at.slice(n)], stridesOf(shape));
        out[to] = round[k.store.dtype]!(out[to]! + load(memory, k.updates, at));
      });
      return;
    }
    case "hand":
      throw new TypeError(`Cannot interpret ${k.does.op}: plan for backends without it`);
    case "place":
      out.fill(k.fill, 0, sizeOf(k.shape));
      for (const p of k.parts) {
        each(p.sizes, backwards, (at) => {
          const to = at.map((i, axis) => p.starts[axis]! + i * p.steps[axis]!);
          out[dot(to, stridesOf(k.shape))] = load(memory, p.from, at);
        });
      }
  }
}

/** The outputs of a planned graph. Inputs that are donated are overwritten. */
export function interpret(
  graph: Graph,
  plan: Plan,
  inputs: readonly ArrayLike<number>[],
  backwards = false,
): Float64Array[] {
  const donated = graph.donations;
  const bound = inputs.map((x) => Float64Array.from(x));
  const outputs = graph.outputs.map((n, i) =>
    donated.has(i) ? bound[donated.get(i)!]! : new Float64Array(sizeOf(n.shape)).fill(NaN)
  );
  const slots = plan.slots.map((s) =>
    s.role === "input"
      ? bound[s.index]!
      : s.role === "output"
      ? outputs[s.index]!
      : new Float64Array(s.words).fill(NaN)
  );
  const memory: Memory = (n) => slots[plan.slotOf.get(n)!]!;
  for (const k of plan.kernels) runKernel(k, memory, backwards);
  for (const c of plan.copies) {
    slots[c.to]!.set(slots[c.from]!.subarray(0, sizeOf(c.node.shape)));
  }
  return outputs;
}
