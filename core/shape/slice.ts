/**
 * A part of an axis: from a start to an end, or of a size.
 *
 * @module
 */
import type { SubDim } from "./arith.ts";
import { axisIndex } from "./axis.ts";
import type { At, AxisIn, SetAt } from "./axis.ts";
import type { As, Dim, DimOf, IsNum, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim } from "./text.ts";

/** S with axis Ax cut to F..T, T left out. */
export type Slice<S, Ax, F, T> = SliceIn<S, Ax, DimOf<F>, DimOf<T>, Lits>;
/** S with its axis Ax cut to N elements. */
export type Resize<Op extends string, S, Ax, N> = ResizeIn<Op, S, Ax, DimOf<N>, Lits>;

/** @internal */
export type SliceIn<S, Ax, F, T, Z extends Lits> = AxisIn<"slice", S, Ax, Z> extends infer I
  ? I extends Fail<unknown> ? I
  : string extends I ? Good<Shape>
  : { v: SubDim<As<T>, As<F>, Z> } extends { v: infer N extends Dim }
    ? Inside<N, As<T>, At<S, I>, Z> extends true ? Good<SetAt<S, I, N>>
    : Cannot<
      `slice ${Show<S, Z>} over axis ${Ax & number} from ${ShowDim<As<F>, Z>} to ${ShowDim<
        As<T>,
        Z
      >}`,
      `start and end must be in 0..${ShowDim<At<S, I>, Z>}, in order`
    >
  : never
  : never;
/** Is the length N not negative, and the end T not beyond the axis D? Only literals can tell. */
type Inside<N extends Dim, T extends Dim, D extends Dim, Z extends Lits> = { v: N } extends
  { v: never } ? false
  : AtMost<T, D, Z>;
type AtMost<T extends Dim, D extends Dim, Z extends Lits> = IsNum<T, Z> extends true
  ? IsNum<D, Z> extends true ? { v: SubDim<D, T, Z> } extends { v: never } ? false : true : true
  : true;

/** @internal */
export type ResizeIn<Op extends string, S, Ax, N, Z extends Lits> = AxisIn<Op, S, Ax, Z> extends
  infer I ? I extends Fail<unknown> ? I
  : AtMost<As<N>, At<S, I>, Z> extends true ? Good<SetAt<S, I, N>>
  : Cannot<
    `${Op} ${ShowDim<As<N>, Z>} of ${Show<S, Z>} over axis ${
      & Ax
      & number}`,
    `size must be in 0..${ShowDim<At<S, I>, Z>}`
  >
  : never;

const areWhole = (...sizes: readonly number[]): boolean => sizes.every(Number.isInteger);

/** The shape with an axis cut to start..end, end left out. */
export function sliceShape(
  shape: readonly number[],
  axis: number,
  start: number,
  end: number,
): Result {
  const at = axisIndex("slice", shape, axis);
  if ("fail" in at) return at;
  const d = shape[at.ok]!;
  if (areWhole(start, end) && 0 <= start && start <= end && end <= d) {
    return { ok: shape.with(at.ok, end - start) };
  }
  const what = `slice ${show(shape)} over axis ${axis} from ${start} to ${end}`;
  return cannot(what, `start and end must be in 0..${d}, in order`);
}

/** The shape with an axis cut to n elements. */
export function resizeShape(
  op: string,
  shape: readonly number[],
  axis: number,
  n: number,
): Result {
  const at = axisIndex(op, shape, axis);
  if ("fail" in at) return at;
  const d = shape[at.ok]!;
  if (areWhole(n) && 0 <= n && n <= d) return { ok: shape.with(at.ok, n) };
  const what = `${op} ${n} of ${show(shape)} over axis ${axis}`;
  return cannot(what, `size must be in 0..${d}`);
}
