/**
 * Axes of size 1 put in and taken out, and two axes swapped.
 *
 * @module
 */
import { axisIndex, axisRange } from "./axis.ts";
import type { At, AxisIn, AxisRange, IndexOf, RemoveAt } from "./axis.ts";
import type { Get, Is1, IsTuple, IsWild, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim } from "./text.ts";

/** S with a new axis of 1 that stands at Ax of the result. */
export type Expand<S, Ax> = InsertIn<"expandDims", S, Ax, 1, Lits>;
/** S without its axis Ax, which must be 1. */
export type Squeeze<S, Ax> = SqueezeIn<S, Ax, Lits>;
/** S with two axes swapped. */
export type Swap<S, A, B> = SwapIn<S, A, B, Lits>;
/** S with its last two axes swapped. */
export type Transpose<S> = TransposeIn<S, Lits>;

/** @internal */
export type InsertIn<Op extends string, S, Ax, V, Z extends Lits> = IsTuple<S> extends true
  ? number extends Ax ? Good<Shape>
  : S extends readonly unknown[]
    ? IndexOf<[...S, 1], Ax> extends infer I
      ? [I] extends [never]
        ? Cannot<`${Op} ${Show<S, Z>} over axis ${Ax & number}`, AxisRange<[...S, 1]>>
      : Good<Insert<S, I, V>>
    : never
  : never
  : Good<Shape>;
type Insert<S, I, V, Acc extends unknown[] = []> = `${Acc["length"]}` extends I
  ? S extends readonly unknown[] ? [...Acc, V, ...S] : never
  : S extends readonly [infer H, ...infer R] ? Insert<R, I, V, [...Acc, H]>
  : Acc;
/** @internal */
export type SqueezeIn<S, Ax, Z extends Lits> = AxisIn<"squeeze", S, Ax, Z> extends infer I
  ? I extends Fail<unknown> ? I
  : Is1<At<S, I>, Z> extends true ? Good<RemoveAt<S, I>>
  : IsWild<At<S, I>, Z> extends true ? Good<RemoveAt<S, I>>
  : Cannot<
    `squeeze ${Show<S, Z>} over axis ${Ax & number}`,
    `the axis must be 1 (${ShowDim<At<S, I>, Z>})`
  >
  : never;
/** @internal */
export type SwapIn<S, A, B, Z extends Lits> = AxisIn<"swapaxes", S, A, Z> extends infer I
  ? I extends Fail<unknown> ? I
  : AxisIn<"swapaxes", S, B, Z> extends infer J ? J extends Fail<unknown> ? J
    : string extends I | J ? Good<Shape>
    : Good<
      { -readonly [K in keyof S]: K extends I ? Get<S, J> : K extends J ? Get<S, I> : S[K] }
    >
  : never
  : never;
/** @internal */
export type TransposeIn<S, Z extends Lits> = IsTuple<S> extends true
  ? S extends [...infer L, infer M, infer N] ? Good<[...L, N, M]>
  : Cannot<`transpose ${Show<S, Z>}`, "there must be 2 axes or more">
  : Good<Shape>;

/** The shape with a new axis of 1 that stands at `axis` of the result. */
export function expandShape(shape: readonly number[], axis: number): Result {
  return insertShape("expandDims", shape, axis, 1);
}

/** The shape with a new axis of size `d` that stands at `axis` of the result. */
export function insertShape(op: string, shape: readonly number[], axis: number, d: number): Result {
  const at = axisIndex(op, [...shape, d], axis);
  if ("ok" in at) return { ok: shape.toSpliced(at.ok, 0, d) };
  return cannot(`${op} ${show(shape)} over axis ${axis}`, axisRange(shape.length + 1));
}

/** The shape without its axis `axis`, which must be 1. */
export function squeezeShape(shape: readonly number[], axis: number): Result {
  const at = axisIndex("squeeze", shape, axis);
  if ("fail" in at) return at;
  const d = shape[at.ok]!;
  if (d === 1) return { ok: shape.toSpliced(at.ok, 1) };
  return cannot(`squeeze ${show(shape)} over axis ${axis}`, `the axis must be 1 (${d})`);
}

/** The shape with two axes swapped. */
export function swapShape(shape: readonly number[], a: number, b: number): Result {
  const i = axisIndex("swapaxes", shape, a);
  if ("fail" in i) return i;
  const j = axisIndex("swapaxes", shape, b);
  if ("fail" in j) return j;
  return { ok: shape.with(i.ok, shape[j.ok]!).with(j.ok, shape[i.ok]!) };
}

/** The shape with its last two axes swapped. */
export function transposeShape(shape: readonly number[]): Result {
  if (shape.length < 2) {
    return cannot(`transpose ${show(shape)}`, "there must be 2 axes or more");
  }
  return { ok: [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] };
}
