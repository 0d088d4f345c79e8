/**
 * One axis of a shape, counted from the first (0, 1, …) or back from the last (-1, -2, …).
 *
 * @module
 */
import type { As, Get, IsTuple, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show } from "./text.ts";

/** The shape itself, if it has this axis. */
export type OverAxis<Op extends string, S, Ax> = OverAxisIn<Op, S, Ax, Lits>;

/** @internal */
export type OverAxisIn<Op extends string, S, Ax, Z extends Lits> = AxisIn<Op, S, Ax, Z> extends
  infer I ? I extends Fail<unknown> ? I : Good<S>
  : never;

/** The index of axis Ax as a string, "0" or up; `string` where it is known only at run time; or the failure. */
export type AxisIn<Op extends string, S, Ax, Z extends Lits> = IsTuple<S> extends true
  ? number extends Ax ? string
  : IndexOf<S, Ax> extends infer I
    ? [I] extends [never] ? Cannot<`${Op} ${Show<S, Z>} over axis ${Ax & number}`, AxisRange<S>>
    : I
  : never
  : string;
/** The index of axis Ax as a string, or never. */
export type IndexOf<S, Ax> = `${Ax & number}` extends `-${infer N}` ? FromEnd<S, N>
  : `${Ax & number}` extends keyof S ? `${Ax & number}`
  : never;
type FromEnd<S, N, Count extends unknown[] = [0]> = S extends readonly [...infer R, unknown]
  ? `${Count["length"]}` extends N ? `${R["length"]}` : FromEnd<R, N, [...Count, 0]>
  : never;
/** "axis must be in -2..1" */
export type AxisRange<S> = S extends readonly [unknown, ...infer R]
  ? `axis must be in -${S["length"]}..${R["length"]}`
  : "a scalar has no axis";

/** The axis at index I. */
export type At<S, I> = string extends I ? number : As<Get<S, I>>;
/** S with the axis at index I replaced by V. */
export type SetAt<S, I, V> = string extends I ? Shape
  : { -readonly [K in keyof S]: K extends I ? V : S[K] };
/** S without the axis at index I. */
export type RemoveAt<S, I> = string extends I ? Shape : Remove<S, I, [], []>;
type Remove<S, I, N extends unknown[], Acc extends unknown[]> = S extends
  readonly [infer H, ...infer R]
  ? `${N["length"]}` extends I ? Remove<R, I, [...N, 0], Acc> : Remove<R, I, [...N, 0], [...Acc, H]>
  : Acc;
/** The axes before index I, and those after it. */
export type CutAt<S, I, Acc extends unknown[] = []> = S extends readonly [infer H, ...infer R]
  ? `${Acc["length"]}` extends I ? [Acc, R] : CutAt<R, I, [...Acc, H]>
  : [Acc, []];

/** The index of an axis. */
export function axisIndex(op: string, shape: readonly number[], axis: number): Result<number> {
  const rank = shape.length, index = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && index >= 0 && index < rank) return { ok: index };
  return cannot(`${op} ${show(shape)} over axis ${axis}`, axisRange(rank));
}

/** The shape itself, if it has this axis. */
export function overAxis(op: string, shape: readonly number[], axis: number): Result {
  const at = axisIndex(op, shape, axis);
  return "fail" in at ? at : { ok: shape };
}

/** "axis must be in -2..1" */
export function axisRange(rank: number): string {
  return rank ? `axis must be in -${rank}..${rank - 1}` : "a scalar has no axis";
}
