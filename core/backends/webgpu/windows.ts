/**
 * Windows on buffers: what a shader binds of a buffer that is larger than WebGPU lets it bind.
 *
 * @module
 */
import type { Halves } from "../../plan/plan.ts";
import type { SlotOf } from "./bindings.ts";
import type { Use } from "./part_space.ts";

/** Bytes of a slot's buffer. */
export interface Window {
  readonly slot: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Where a window may begin: every adapter's `minStorageBufferOffsetAlignment` divides it. */
export const WINDOW_STEP = 256;

/** Bytes of an element. */
export function elementBytes({ node }: Pick<Use, "node">, halves?: Halves): number {
  return halves?.has(node.dtype) ? 2 : 4;
}

/** The first and the last element that is touched; of an empty operand, where it would begin. */
function reach({ offset, strides, sizes }: Use): readonly [low: number, high: number] {
  let low = offset, high = offset;
  strides.forEach((s, i) => {
    const steps = Math.max(0, sizes[i]! - 1);
    if (s < 0) low += s * steps;
    else high += s * steps;
  });
  return [low, high];
}

/** The window that one use needs. */
export function windowOf(use: Use, slotOf: SlotOf, halves?: Halves): Window {
  const [low, high] = reach(use), bytes = elementBytes(use, halves);
  return between(slotOf(use.node), low * bytes, (high + 1) * bytes);
}

/** Whole vectors from a multiple of WINDOW_STEP on; what is empty may begin before the buffer does, as no element of it is touched. */
function between(slot: number, from: number, to: number): Window {
  const offset = Math.max(0, Math.floor(from / WINDOW_STEP)) * WINDOW_STEP;
  return { slot, offset, bytes: 16 * Math.max(1, Math.ceil((to - offset) / 16)) };
}

function joined(a: Window, b: Window): Window {
  const end = Math.max(a.offset + a.bytes, b.offset + b.bytes);
  return between(a.slot, Math.min(a.offset, b.offset), end);
}

/**
 * A window for every use, none for counters; uses that have one are the same object. Of a buffer that is written there is one
 * window, as WebGPU refuses two that overlap. Null if a window would be larger than `most` bytes.
 */
export function windowsOf(
  uses: readonly Use[],
  slotOf: SlotOf,
  most: number,
  halves?: Halves,
): readonly (Window | undefined)[] | null {
  const real = uses.filter((u) => u.node.kind !== "iota"), found = new Map<Use, Window>();
  // A binding has elements of one type.
  for (const [, same] of Map.groupBy(real, ({ node }) => `${slotOf(node)} ${node.dtype}`)) {
    const isWritten = same.some((u) => u.write), windows: Window[] = [];
    const ascending = same.map((use) => ({ use, own: windowOf(use, slotOf, halves) }))
      .sort((p, q) => p.own.offset - q.own.offset);
    const numbers = ascending.map(({ own }) => {
      const last = windows.at(-1), both = last ? joined(last, own) : own;
      if (last && (isWritten || both.bytes <= most)) windows[windows.length - 1] = both;
      else windows.push(own);
      return windows.length - 1;
    });
    if (windows.some((w) => w.bytes > most)) return null;
    ascending.forEach(({ use }, i) => found.set(use, windows[numbers[i]!]!));
  }
  return uses.map((u) => found.get(u));
}
