/**
 * Rows picked by ids, one id a row or one id an element, and rows added at ids.
 *
 * @module
 */
import { axisIndex } from "./axis.ts";
import type { AxisIn, CutAt } from "./axis.ts";
import type { SameExcept } from "./concat.ts";
import type { DimOf, IsTuple, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show } from "./text.ts";

/** S with its axis Ax replaced by the axes of the ids I. */
export type Gather<Op extends string, S, I, Ax> = GatherIn<Op, S, I, Ax, Lits>;
/** The shape of the ids I, if it is S but for axis Ax. */
export type TakeAlong<S, I, Ax> = TakeAlongIn<S, I, Ax, Lits>;
/** S, if the updates U are what gathering the ids I from it would give. */
export type ScatterAdd<S, I, U, Ax> = ScatterAddIn<S, I, U, Ax, Lits>;
/** The axes of the ids, then one of size N. */
export type OneHot<I, N> = I extends unknown[] ? Good<[...I, DimOf<N>]> : never;

/** @internal */
export type GatherIn<Op extends string, S, I, Ax, Z extends Lits> = AxisIn<Op, S, Ax, Z> extends
  infer A ? A extends Fail<unknown> ? A
  : string extends A ? Good<Shape>
  : CutAt<S, A> extends [infer L extends unknown[], infer R extends unknown[]]
    ? I extends unknown[] ? Good<[...L, ...I, ...R]> : never
  : never
  : never;
/** @internal */
export type TakeAlongIn<S, I, Ax, Z extends Lits> = AxisIn<"takeAlongAxis", S, Ax, Z> extends
  infer A ? A extends Fail<unknown> ? A
  : string extends A ? Good<I>
  : IsTuple<I> extends true ? SameExcept<S, I, A, Z> extends true ? Good<I>
    : Cannot<
      `takeAlongAxis ${Show<S, Z>} at ${Show<I, Z>} over axis ${
        & Ax
        & number}`,
      "other axes must match"
    >
  : Good<Shape>
  : never;
/** @internal */
export type ScatterAddIn<S, I, U, Ax, Z extends Lits> = GatherIn<"scatterAdd", S, I, Ax, Z> extends
  infer R
  ? R extends Good<infer W>
    ? IsTuple<W> extends true
      ? IsTuple<U> extends true ? SameExcept<W, U, "none", Z> extends true ? Good<S>
        : Cannot<
          `scatterAdd ${Show<U, Z>} to ${Show<S, Z>} over axis ${
            & Ax
            & number}`,
          `updates must be ${Show<
            W,
            Z
          >}`
        >
      : Good<S>
    : Good<S>
  : R
  : never;

/** The shape with an axis replaced by the axes of the ids. */
export function gatherShape(
  op: string,
  shape: readonly number[],
  ids: readonly number[],
  axis: number,
): Result {
  const at = axisIndex(op, shape, axis);
  return "fail" in at ? at : { ok: shape.toSpliced(at.ok, 1, ...ids) };
}

/** The shape of the ids, if it is the shape but for one axis. */
export function takeAlongShape(
  shape: readonly number[],
  ids: readonly number[],
  axis: number,
): Result {
  const at = axisIndex("takeAlongAxis", shape, axis);
  if ("fail" in at) return at;
  if (ids.length === shape.length && ids.every((d, i) => i === at.ok || d === shape[i])) {
    return { ok: ids };
  }
  const what = `takeAlongAxis ${show(shape)} at ${show(ids)} over axis ${axis}`;
  return cannot(what, "other axes must match");
}

/** The shape, if the updates are what gathering the ids from it would give. */
export function scatterAddShape(
  shape: readonly number[],
  ids: readonly number[],
  updates: readonly number[],
  axis: number,
): Result {
  const want = gatherShape("scatterAdd", shape, ids, axis);
  if ("fail" in want) return want;
  if (show(want.ok) === show(updates)) return { ok: shape };
  const what = `scatterAdd ${show(updates)} to ${show(shape)} over axis ${axis}`;
  return cannot(what, `updates must be ${show(want.ok)}`);
}

/** The axes of the ids, then one of size n. */
export function oneHotShape(ids: readonly number[], n: number): Result {
  return { ok: [...ids, n] };
}
