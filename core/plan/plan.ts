/**
 * The plan of a program: kernels in order, and for every buffer a slot of memory, reused by liveness and
 * donated where the caller says so. `makePlan` is pure; backends turn the plan into code.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import type { FusedKernel } from "../graph/fused_kernel.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import type { Kernel } from "./kernels.ts";

/** The dtypes of which two elements share a word of four bytes in a backend's memory; of any other each takes a word. */
export type Halves = ReadonlySet<DType>;

/** Words that the elements of a node take. */
export function wordsOf({ shape, dtype }: Node, halves?: Halves): number {
  return Math.ceil(sizeOf(shape) / (halves?.has(dtype) ? 2 : 1));
}

/** What the planner must know of a backend. */
export interface PlanLimits {
  /** Most buffers that one kernel may touch (reads and writes, distinct slots). */
  readonly bindings: number;
  /** Fuse and recompute; off only to test that fusion changes nothing. */
  readonly fuse: boolean;
  /** Row kernels may also sum down their rows. */
  readonly sums?: boolean;
  /** Why the composite of a hand-written kernel is computed; undefined where the kernel is. Absent: it has no such kernel. */
  readonly composes?: (kernel: FusedKernel) => string | undefined;
  /** None, if left out. */
  readonly halves?: Halves;
}

/**
 * A place in memory. Inputs and outputs are bound at run time by number; a donated output has the slot of its input.
 * Scratch belongs to the program (or to its device, as programs run one at a time).
 */
export interface Slot {
  readonly role: "input" | "output" | "scratch";
  /** Number of the graph's input or output; of scratch, its own number. */
  readonly index: number;
  /** Words of four bytes; a slot of scratch is as large as the largest buffer put into it. Elements are of one dtype a buffer, not a slot. */
  readonly words: number;
}

export interface Plan {
  readonly kernels: readonly Kernel[];
  readonly slots: readonly Slot[];
  /** The slot of every buffer that a kernel reads or writes. */
  readonly slotOf: ReadonlyMap<Node, number>;
  /** Copies after the last kernel, whole buffers: donated outputs that could not be written in place. `node` gives size and dtype. */
  readonly copies: readonly { readonly node: Node; readonly from: number; readonly to: number }[];
  /** Hand-written kernels whose composites are computed, and why, by kernel. */
  readonly composed: readonly string[];
}
