/**
 * A plan in words: a line a kernel, and how much memory it takes.
 *
 * @module
 */
import { bytesOf } from "../dtype.ts";
import { type Node, show, sizeOf, type Sizes } from "../graph/node.ts";
import { type Kernel, type Operand, operandsOf, readsOf, writesOf } from "./kernels.ts";
import type { Plan } from "./plan.ts";

/** Figures of a plan. Bytes count an element of f16 or bf16 as two; scratch counts four for every element. */
export interface PlanFigures {
  /** A line a kernel: kind, sizes, what it reads and writes, bytes. */
  readonly lines: readonly string[];
  /** Most bytes of intermediate results alive at once. */
  readonly peakBytes: number;
  /** Bytes of all scratch slots: the peak and what reuse could not fill. */
  readonly scratchBytes: number;
  /** Bytes that the kernels read and write in one run. */
  readonly trafficBytes: number;
}

/** "1.5 MiB" */
export function showBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = bytes, unit = 0;
  for (; value >= 1024 && unit < 3; unit++) value /= 1024;
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Sizes of the axes that an operand walks; the rest it reads again. */
function spaceOf(k: Kernel, o: Operand): Sizes {
  switch (k.kind) {
    case "row":
      return [...k.outer, k.inner];
    case "column":
      return [...k.rows, k.columns];
    case "matmul":
      return o === k.a ? [...k.batch, k.m, k.k] : [...k.batch, k.k, k.n];
    case "gather":
      return o === k.ids ? [...k.groups, ...k.count] : [...k.groups, ...k.count, ...k.row];
    case "scatter":
      return o === k.ids ? [...k.groups, ...k.count] : [...k.groups, ...k.count, ...k.row];
    case "place":
      return k.parts.find((p) => p.from === o)!.sizes;
    case "hand":
      return o.strides.length === o.base.shape.length ? o.base.shape : [sizeOf(o.base.shape)];
  }
}

const nodeBytes = (n: Node): number => bytesOf(n.dtype) * sizeOf(n.shape);

function bytesRead(k: Kernel): number {
  return operandsOf(k).reduce((sum, o) => {
    if (o.base.kind === "iota") return sum;
    const space = spaceOf(k, o);
    return sum + space.reduce((n, s, i) => o.strides[i] === 0 ? n : n * s, bytesOf(o.base.dtype));
  }, 0);
}

function sizesOf(k: Kernel): string {
  switch (k.kind) {
    case "row":
      return `${show(k.outer)} x ${k.inner}`;
    case "column":
      return `${show(k.rows)} down, ${k.columns}`;
    case "matmul":
      return `${k.batch.length ? `${show(k.batch)} of ` : ""}${k.m} x ${k.k} x ${k.n}`;
    case "gather":
    case "scatter":
      return `${show([...k.groups, ...k.count])} of ${k.size}, rows ${show(k.row)}`;
    case "place":
      return `${show(k.shape)}, ${k.parts.length} parts`;
    case "hand": {
      const { op, B, H, T, K, R } = k.does;
      return `${op} ${show([B, H, T, K])}, ${R} rows`;
    }
  }
}

function detailOf(k: Kernel): string {
  const combines = k.kind === "row"
    ? k.reductions.map((r) => r.combine)
    : k.kind === "column"
    ? [k.combine]
    : [];
  return combines.length ? `, ${combines.join(" ")}` : "";
}

function line(k: Kernel): string {
  const writes = writesOf(k), bytes = bytesRead(k) + writes.reduce((n, w) => n + nodeBytes(w), 0);
  const results = writes.map((n) => `${n.dtype} ${show(n.shape)}`).join(", ");
  const reads = new Set(readsOf(k)).size;
  return `${k.kind} ${sizesOf(k)}${detailOf(k)}: reads ${reads}, writes ${results}, ${
    showBytes(bytes)
  }`;
}

/** Most bytes of scratch in use at once. */
function peakOf(plan: Plan): number {
  const isScratch = (n: Node): boolean => plan.slots[plan.slotOf.get(n)!]!.role === "scratch";
  const last = new Map<Node, number>();
  plan.kernels.forEach((k, i) => [...readsOf(k), ...writesOf(k)].forEach((n) => last.set(n, i)));
  plan.copies.forEach(({ node }) => last.set(node, plan.kernels.length));
  const live = new Set<Node>();
  let peak = 0;
  plan.kernels.forEach((k, i) => {
    for (const n of writesOf(k)) if (isScratch(n)) live.add(n);
    // A buffer that is written over is no more memory.
    const slots = new Map([...live].map((n) => [plan.slotOf.get(n)!, n]));
    peak = Math.max(peak, [...slots.values()].reduce((sum, n) => sum + 4 * sizeOf(n.shape), 0));
    for (const n of [...readsOf(k), ...writesOf(k)]) if (last.get(n) === i) live.delete(n);
  });
  return peak;
}

/** What a plan does, for people. */
export function explainPlan(plan: Plan): PlanFigures {
  const scratch = plan.slots.filter((s) => s.role === "scratch");
  return {
    lines: plan.kernels.map(line),
    peakBytes: peakOf(plan),
    scratchBytes: scratch.reduce((sum, s) => sum + 4 * s.elements, 0),
    trafficBytes: plan.kernels.reduce(
      (sum, k) => sum + bytesRead(k) + writesOf(k).reduce((n, w) => n + nodeBytes(w), 0),
      0,
    ),
  };
}
