/**
 * Loops over spaces of any rank: coordinates advance like an odometer, and pointers with them, so that no division is made
 * inside.
 *
 * @module
 */
import type { Sizes } from "../../graph/node.ts";
import { bump, type Code, get, i32, loop, set, when } from "./encoder.ts";
import type { Locals } from "./pointers.ts";

/** A local like an address that follows the coordinates; strides are in whatever it counts (bytes, mostly). */
export interface Cursor {
  readonly local: number;
  readonly strides: readonly number[];
}

/** Axes of size 1 dropped and neighbours merged where every cursor allows it. */
export function merged(
  sizes: Sizes,
  cursors: readonly Pick<Cursor, "strides">[],
): { sizes: number[]; strides: number[][] } {
  const axes: { size: number; strides: number[] }[] = [];
  sizes.forEach((size, i) => {
    if (size === 1) return;
    const strides = cursors.map((c) => c.strides[i]!), last = axes.at(-1);
    if (last && last.strides.every((s, k) => s === strides[k]! * size)) {
      axes[axes.length - 1] = { size: last.size * size, strides };
    } else axes.push({ size, strides });
  });
  return {
    sizes: axes.map((a) => a.size),
    strides: cursors.map((_, k) => axes.map((a) => a.strides[k]!)),
  };
}

/** Runs `body` for units first..end of a space in row-major order. Cursors must stand at the space's origin, and move. */
export function walk(
  locals: Locals,
  space: Sizes,
  first: Code,
  end: Code,
  cursors: readonly Cursor[],
  body: Code,
): Code {
  const { sizes, strides } = merged(space, cursors);
  const unit = locals.i32(), rest = locals.i32(), { ptr } = locals;
  const move = (k: number, by: number): Code => by ? bump(cursors[k]!.local, ptr.of(by), ptr) : [];
  const coordinates = sizes.map((_, axis) => axis ? locals.i32() : rest);
  const start: Code[] = [set(rest, first)];
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const c = coordinates[axis]!;
    if (axis) {
      start.push(set(c, i32.remU(get(rest), i32.of(sizes[axis]!))));
      start.push(set(rest, i32.divU(get(rest), i32.of(sizes[axis]!))));
    }
    cursors.forEach(({ local }, k) => {
      const stride = strides[k]![axis]!;
      if (stride) start.push(bump(local, ptr.mul(ptr.from(get(c)), ptr.of(stride)), ptr));
    });
  }
  // Steps along the last axis; where an axis is full, back to its start and one step along the axis before.
  const step = (axis: number): Code => {
    if (axis < 0) return [];
    const forward = cursors.map((_, k) => move(k, strides[k]![axis]!));
    if (axis === 0) return forward;
    const back = cursors.map((_, k) => move(k, -sizes[axis]! * strides[k]![axis]!));
    const c = coordinates[axis]!;
    return [
      forward,
      bump(c, i32.of(1)),
      when(i32.eq(get(c), i32.of(sizes[axis]!)), [set(c, i32.of(0)), back, step(axis - 1)]),
    ];
  };
  return [start, loop(unit, first, end, 1, [body, step(sizes.length - 1)])];
}
