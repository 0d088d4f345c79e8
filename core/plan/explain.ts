/**
 * A plan in words and figures, the same for every backend: a line a kernel, how much memory and work it takes.
 *
 * @module
 */
import type { PlanFigures } from "../device/device.ts";
import { bytesOf } from "../dtype.ts";
import { fusedText } from "../graph/fused_kernel.ts";
import { type Node, show, sizeOf, type Sizes } from "../graph/node.ts";
import { type Kernel, type Operand, operandsOf, readsOf, writesOf } from "./kernels.ts";
import { type Halves, type Plan, wordsOf } from "./plan.ts";

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
    case "hand":
      return fusedText(k.does);
  }
}

function detailOf(k: Kernel): string {
  const combines = k.kind === "row"
    ? [...k.reductions.map((r) => r.combine), ...(k.sums ?? []).map(() => "down")]
    : k.kind === "column"
    ? [k.combine]
    : [];
  return combines.length ? `, ${combines.join(" ")}` : "";
}

const trafficOf = (k: Kernel): number =>
  writesOf(k).reduce((n, w) => n + nodeBytes(w), bytesRead(k));

/**
 * Multiplications and additions of products. Attention multiplies twice forward (scores, result) and five times backward (scores
 * again, and the gradients of the weights, q, k and v); what its position terms add is not of the order of T x T x K.
 */
function flopsOf(k: Kernel): number {
  if (k.kind === "matmul") return 2 * sizeOf(k.batch) * k.m * k.n * k.k;
  if (k.kind !== "hand") return 0;
  const { op, B, H, T, K } = k.does;
  return 2 * (op === "attention" ? 2 : 5) * B * H * T * T * K;
}

/** "matmul 4 x 8 x 2: reads 2, writes f32 [4, 2], 224 B" */
export function kernelLine(k: Kernel): string {
  const writes = writesOf(k), name = k.kind === "hand" ? "" : `${k.kind} `;
  const results = writes.map((n) => `${n.dtype} ${show(n.shape)}`).join(", ");
  const reads = new Set(readsOf(k)).size;
  return `${name}${sizesOf(k)}${detailOf(k)}: reads ${reads}, writes ${results}, ${
    showBytes(trafficOf(k))
  }`;
}

/** Bytes of scratch in use while each kernel runs; a slot that is written over in place is counted once. */
function liveBytesOf(plan: Plan, halves?: Halves): number[] {
  const last = new Map<Node, number>();
  plan.kernels.forEach((k, i) => [...readsOf(k), ...writesOf(k)].forEach((n) => last.set(n, i)));
  plan.copies.forEach(({ node }) => last.set(node, plan.kernels.length));
  /** What each slot holds. */
  const held = new Map<number, Node>();
  const sizeIn = (n?: Node): number => n ? 4 * wordsOf(n, halves) : 0;
  let bytes = 0;
  return plan.kernels.map((k, i) => {
    for (const n of writesOf(k)) {
      const slot = plan.slotOf.get(n)!;
      if (plan.slots[slot]!.role !== "scratch") continue;
      bytes += sizeIn(n) - sizeIn(held.get(slot));
      held.set(slot, n);
    }
    const now = bytes;
    for (const n of [...readsOf(k), ...writesOf(k)]) {
      const slot = plan.slotOf.get(n)!;
      if (last.get(n) !== i || held.get(slot) !== n) continue;
      bytes -= sizeIn(n);
      held.delete(slot);
    }
    return now;
  });
}

/** What a plan does, for people. Scratch counts two bytes for an element of `halves`, four for any other. */
export function explainPlan(plan: Plan, halves?: Halves): PlanFigures {
  const scratch = plan.slots.filter((s) => s.role === "scratch"),
    liveBytes = liveBytesOf(plan, halves);
  const sum = (of: (k: Kernel) => number): number => plan.kernels.reduce((n, k) => n + of(k), 0);
  return {
    kernels: plan.kernels.length,
    lines: plan.kernels.map(kernelLine),
    composed: plan.composed,
    liveBytes,
    peakBytes: liveBytes.reduce((a, b) => Math.max(a, b), 0),
    scratchBytes: scratch.reduce((sum, s) => sum + 4 * s.words, 0),
    trafficBytes: sum(trafficOf),
    flops: sum(flopsOf),
  };
}
