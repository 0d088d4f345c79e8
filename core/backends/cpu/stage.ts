/**
 * A stage: one WebAssembly function over units that threads may split between them. A kernel is one stage, or several with a
 * barrier after each.
 *
 * @module
 */
import type { Node } from "../../graph/node.ts";
import type { Operand } from "../../plan/kernels.ts";
import { widthOf } from "./access.ts";
import { type Fn, I32 } from "./encoder.ts";
import { type Locals, makeLocals, type Pointers } from "./pointers.ts";

/** Where a stage's function finds a buffer, or the first number of an iota operand. */
export interface Pointer {
  readonly base: Node;
  /** Bytes; of an iota operand its first element number. */
  readonly offset: number;
}

/** What every stage function gets first; its pointers follow. */
export const FIRST = 0, END = 1, POINTERS = 2;

/** The locals of a stage's function, which gets so many pointers. */
export function stageLocals(ptr: Pointers, pointers: number): Locals {
  return makeLocals(ptr, [I32, I32, ...Array<number>(pointers).fill(ptr.type)]);
}

export interface Stage {
  /** Says what the function does, wherever its buffers are: equal keys, equal functions. */
  readonly key: string;
  /** Writes the function (first unit, end, ...pointers). */
  readonly write: (ptr: Pointers) => Fn;
  readonly pointers: readonly Pointer[];
  readonly units: number;
  /** Threads get multiples of this many units. */
  readonly quantum: number;
  /** Nanoseconds on one thread, roughly. */
  readonly cost: number;
  /** Bytes that each thread needs for itself. If any, the function gets their address as last parameter and may call those of gemm.ts. */
  readonly threadBytes: number;
}

export function pointerOf(o: Operand): Pointer {
  return { base: o.base, offset: o.offset * (isCounter(o) ? 1 : widthOf(o.base.dtype)) };
}

/** Is there no buffer, only element numbers? */
export function isCounter(o: Operand): boolean {
  return o.base.kind === "iota";
}

/** Strides in what pointers count: bytes, or numbers for an iota operand. */
export function stridesIn(o: Operand): number[] {
  return o.strides.map((s) => s * (isCounter(o) ? 1 : widthOf(o.base.dtype)));
}

/** What a key must say of an operand; its address it need not. */
export function describe(o: Operand): string {
  return `${isCounter(o) ? "iota" : o.base.dtype}/${o.strides.join()}`;
}
