/**
 * Boxes of elements moved by bits, or added: what gather, scatter and place do with a row or a part.
 *
 * @module
 */
import type { Sizes } from "../../graph/node.ts";
import { bump, type Code, get, i32, loop, repeat, set, v128 } from "./encoder.ts";
import type { Locals, Pointers } from "./pointers.ts";
import { type Cursor, merged, walk } from "./walk.ts";

/** What is moved. */
export interface Moved {
  /** Bytes of one element. */
  readonly width: number;
  /** The source has no buffer: `from` is the number itself. */
  readonly counts: boolean;
}

/** What happens to one element, or to 16 bytes of them, between two addresses: `bytes` is 16, 8, 4 or 2. */
export type Move = (from: Code, to: Code, bytes: number) => Code;

/** Copies bits. */
export function copying(counts: boolean, ptr: Pointers): Move {
  if (counts) return (from, to) => i32.store(to, ptr.low(from));
  return (from, to, bytes) =>
    bytes === 16
      ? v128.store(to, v128.load(from))
      : bytes === 8
      ? v128.store64Lane(to, v128.load2(from), 0)
      : bytes === 4
      ? i32.store(to, i32.load(from))
      : i32.store16(to, i32.load16(from));
}

/** Adds words to what is there. */
export function adding(
  add: (a: Code, b: Code) => Code,
  counts: boolean,
  ptr: Pointers,
): Move {
  const one = (to: Code, v: Code): Code => v128.store32Lane(to, add(v128.splat32(to), v), 0);
  if (counts) return (from, to) => one(to, v128.splat(ptr.low(from)));
  return (from, to, bytes) =>
    bytes === 16
      ? v128.store(to, add(v128.load(to), v128.load(from)))
      : bytes === 8
      ? v128.store64Lane(to, add(v128.load2(to), v128.load2(from)), 0)
      : one(to, v128.splat32(from));
}

/** A box as rows of bytes that lie side by side in both places, or of single elements where they do not. */
export interface Box {
  readonly outer: Sizes;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Bytes of a run. */
  readonly run: number;
}

/** Strides in bytes (of the source in numbers, if it only counts). */
export function boxOf(
  sizes: Sizes,
  from: readonly number[],
  to: readonly number[],
  move: Moved,
): Box {
  const axes = merged(sizes, [{ strides: from }, { strides: to }]);
  const [f, t] = axes.strides as [number[], number[]];
  const isRun = !move.counts && f.at(-1) === move.width && t.at(-1) === move.width;
  if (!isRun) return { outer: axes.sizes, from: f, to: t, run: move.width };
  const run = axes.sizes.at(-1)! * move.width;
  return { outer: axes.sizes.slice(0, -1), from: f.slice(0, -1), to: t.slice(0, -1), run };
}

/** Handles units first..end of the outer space of a box; both locals move. */
export function moveBox(
  l: Locals,
  box: Box,
  from: number,
  to: number,
  move: Move,
  first: Code,
  end: Code,
): Code {
  const cursors: Cursor[] = [{ local: from, strides: box.from }, { local: to, strides: box.to }];
  return walk(l, box.outer, first, end, cursors, moveRun(l, box.run, from, to, move));
}

/** Units of a box. */
export function unitsOf(box: Box): number {
  return box.outer.reduce((a, b) => a * b, 1);
}

function moveRun(l: Locals, bytes: number, from: number, to: number, move: Move): Code {
  const code: Code[] = [], whole = bytes - bytes % 16, { ptr } = l;
  if (bytes < 16 || whole === 16) {
    if (whole) code.push(move(get(from), get(to), 16));
  } else {
    const at = l.pointer(), side = (local: number): Code => ptr.add(get(local), get(at));
    code.push(loop(at, ptr.of(0), ptr.of(whole), 16, move(side(from), side(to), 16), ptr));
  }
  for (let at = whole, piece = 8; piece >= 2; piece /= 2) {
    if (!(bytes & piece)) continue;
    const shift = (local: number): Code => at ? ptr.add(get(local), ptr.of(at)) : get(local);
    code.push(move(shift(from), shift(to), piece));
    at += piece;
  }
  return code;
}

/** Fills `bytes`, a number like an address, from a local's address on with copies of 16 bytes; the local moves. */
export function fill(l: Locals, to: number, bytes: Code, value: Code): Code {
  const rest = l.pointer(), { ptr } = l;
  const piece = (
    size: number,
    store: Code,
  ): Code => [store, bump(to, ptr.of(size), ptr), bump(rest, ptr.of(-size), ptr)];
  const enough = (size: number): Code => ptr.geU(get(rest), ptr.of(size));
  return [
    set(rest, bytes),
    repeat(enough(16), piece(16, v128.store(get(to), value))),
    repeat(enough(4), piece(4, v128.store32Lane(get(to), value, 0))),
    repeat(enough(2), piece(2, v128.store16Lane(get(to), value, 0))),
  ];
}
