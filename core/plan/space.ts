/**
 * Iteration spaces of several items at once: all of them cut into the same axes.
 *
 * @module
 */
import { sizeOf, type Sizes } from "../graph/node.ts";
import type { SpaceItem } from "./items.ts";
import type { Operand } from "./kernels.ts";

/** Rows of `inner` elements; null where all items are maps of one size. */
export interface RowSpace {
  readonly size: number;
  readonly inner: number | null;
}

/** Size and row length of a group of maps and row reductions. */
export function rowSpaceOf(items: readonly SpaceItem[]): RowSpace {
  let size = 0, least = Infinity, inner: number | null = null;
  for (const it of items) {
    const n = sizeOf(it.space);
    size = Math.max(size, n);
    least = Math.min(least, n);
    if (it.kind === "row" || it.kind === "down") inner = it.space.at(-1)!;
  }
  return { size, inner: inner ?? (least < size ? size / least : null) };
}

/** Where the axes of a space end: the sizes of what follows each but the first. */
export function boundariesOf(space: Sizes): number[] {
  const out: number[] = [];
  let size = 1;
  for (let i = space.length - 1; i > 0; i--) out.push(size *= space[i]!);
  return out;
}

/** The coarsest space of `size` elements that is cut at all of these, or null if they do not divide each other. */
export function refinement(size: number, boundaries: readonly number[]): number[] | null {
  const cuts = [...new Set(boundaries)].filter((b) => b > 1 && b < size).sort((p, q) => p - q);
  if (size > 1) cuts.push(size);
  const sizes: number[] = [];
  let last = 1;
  for (const cut of cuts) {
    if (cut % last) return null;
    sizes.unshift(cut / last);
    last = cut;
  }
  return sizes;
}

/** Strides over the finer of two spaces. */
export function refined(space: Sizes, strides: readonly number[], finer: Sizes): number[] {
  const out = new Array<number>(finer.length).fill(0);
  let at = finer.length - 1;
  for (let i = space.length - 1; i >= 0; i--) {
    for (let covered = 1; covered < space[i]!; at--) {
      out[at] = strides[i]! * covered;
      covered *= finer[at]!;
    }
  }
  return out;
}

/** Do two items of one size read the same element where they compute the same element? */
export function readAlike(a: SpaceItem, p: Operand, b: SpaceItem, q: Operand): boolean {
  const size = sizeOf(a.space);
  if (p.base !== q.base || p.offset !== q.offset || size !== sizeOf(b.space)) return false;
  const both = refinement(size, [...boundariesOf(a.space), ...boundariesOf(b.space)]);
  if (!both) return false;
  const strides = refined(b.space, q.strides, both);
  return refined(a.space, p.strides, both).every((s, i) => s === strides[i]);
}
