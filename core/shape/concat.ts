/**
 * Tensors joined along an axis, stacked along a new one, and cut along one.
 *
 * @module
 */
import type { AddDim } from "./arith.ts";
import { axisIndex } from "./axis.ts";
import type { At, AxisIn, SetAt } from "./axis.ts";
import type { Dim, Fits, IsTuple, Lits, Shape } from "./dim.ts";
import { insertShape } from "./expand.ts";
import type { InsertIn } from "./expand.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim, ShowNums } from "./text.ts";

/** Shape of the tensors of shapes L joined along axis Ax. */
export type Concat<L, Ax> = ConcatIn<L, Ax, Lits>;
/** Shape of the tensors of shapes L stacked along a new axis Ax. */
export type Stack<L, Ax> = StackIn<L, Ax, Lits>;
/** The shapes of the parts of sizes P that S is cut into along axis Ax. */
export type Split<S, P, Ax> = SplitIn<S, P, Ax, Lits>;

/** @internal */
export type ConcatIn<L, Ax, Z extends Lits> = L extends readonly [infer H, ...infer R]
  ? IsTuple<H> extends true
    ? AxisIn<"concat", H, Ax, Z> extends infer I ? I extends Fail<unknown> ? I
      : string extends I ? Good<Shape>
      : Join<H, R, Ax, I, At<H, I>, Z>
    : never
  : Good<Shape>
  : L extends readonly (infer S)[] ? Good<Unknown<S>>
  : never;
/** Any shape of this rank. */
type Unknown<S> = IsTuple<S> extends true ? { -readonly [K in keyof S]: number } : Shape;
type Join<H, L, Ax, I, Total extends Dim, Z extends Lits> = L extends readonly [infer B, ...infer R]
  ? IsTuple<B> extends true
    ? SameExcept<H, B, I, Z> extends true ? Join<H, R, Ax, I, AddDim<Total, At<B, I>, Z>, Z>
    : Cannot<
      `concat ${Show<H, Z>} with ${Show<B, Z>} over axis ${
        & Ax
        & number}`,
      "other axes must match"
    >
  : Good<Shape>
  : Good<SetAt<H, I, Total>>;
/** Equal, but for the axis at index I? */
export type SameExcept<A, B, I, Z extends Lits, N extends unknown[] = []> = A extends
  readonly [infer L extends Dim, ...infer AR]
  ? B extends readonly [infer R extends Dim, ...infer BR]
    ? `${N["length"]}` extends I ? SameExcept<AR, BR, I, Z, [...N, 0]>
    : Fits<L, R, Z> extends true ? SameExcept<AR, BR, I, Z, [...N, 0]>
    : false
  : false
  : B extends readonly [] ? true
  : false;

/** @internal */
export type StackIn<L, Ax, Z extends Lits> = L extends readonly [infer H, ...infer R]
  ? AllSame<H, R, Z> extends infer C ? C extends true ? InsertIn<"stack", H, Ax, Count<L>, Z> : C
  : never
  : Good<Shape>;
type Count<L> = L extends { length: infer N } ? N : never;
type AllSame<H, L, Z extends Lits> = L extends readonly [infer B, ...infer R]
  ? IsTuple<H> extends true
    ? IsTuple<B> extends true ? SameExcept<H, B, "none", Z> extends true ? AllSame<H, R, Z>
      : Cannot<`stack ${Show<H, Z>} with ${Show<B, Z>}`, "shapes must be equal">
    : AllSame<H, R, Z>
  : true
  : true;

/** @internal */
export type SplitIn<S, P, Ax, Z extends Lits> = AxisIn<"split", S, Ax, Z> extends infer I
  ? I extends Fail<unknown> ? I
  : P extends readonly number[]
    ? { v: Sum<P, Z>; w: At<S, I> } extends { v: infer T extends Dim; w: infer D extends Dim }
      ? Fits<D, T, Z> extends true ? Good<{ [K in keyof P]: SetAt<S, I, P[K]> }>
      : Cannot<
        `split ${Show<S, Z>} over axis ${Ax & number} into ${ShowNums<
          P
        >}`,
        `sizes must add up to ${ShowDim<D, Z>} (${ShowDim<T, Z>})`
      >
    : never
  : never
  : never;
type Sum<P, Z extends Lits, Acc extends Dim = 0> = P extends
  readonly [infer H extends Dim, ...infer R] ? Sum<R, Z, AddDim<Acc, H, Z>>
  : P extends readonly [] ? Acc
  : number;

/** Shape of the tensors joined along an axis. */
export function concatShape(shapes: readonly (readonly number[])[], axis: number): Result {
  const first = shapes[0];
  if (!first) return cannot("concat nothing", "there must be a tensor");
  const at = axisIndex("concat", first, axis);
  if ("fail" in at) return at;
  for (const s of shapes) {
    if (s.length !== first.length || s.some((d, i) => i !== at.ok && d !== first[i])) {
      const what = `concat ${show(first)} with ${show(s)} over axis ${axis}`;
      return cannot(what, "other axes must match");
    }
  }
  return { ok: first.with(at.ok, shapes.reduce((n, s) => n + s[at.ok]!, 0)) };
}

/** Shape of the tensors stacked along a new axis. */
export function stackShape(shapes: readonly (readonly number[])[], axis: number): Result {
  const first = shapes[0];
  if (!first) return cannot("stack nothing", "there must be a tensor");
  for (const s of shapes) {
    if (s.length !== first.length || s.some((d, i) => d !== first[i])) {
      return cannot(`stack ${show(first)} with ${show(s)}`, "shapes must be equal");
    }
  }
  return insertShape("stack", first, axis, shapes.length);
}

/** The shapes of the parts that a shape is cut into. */
export function splitShape(
  shape: readonly number[],
  sizes: readonly number[],
  axis: number,
): Result<readonly (readonly number[])[]> {
  const at = axisIndex("split", shape, axis);
  if ("fail" in at) return at;
  const d = shape[at.ok]!, sum = sizes.reduce((n, size) => n + size, 0);
  if (sum === d) return { ok: sizes.map((size) => shape.with(at.ok, size)) };
  const what = `split ${show(shape)} over axis ${axis} into ${show(sizes)}`;
  return cannot(what, `sizes must add up to ${d} (${sum})`);
}
