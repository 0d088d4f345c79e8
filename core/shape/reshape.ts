/**
 * The same elements in another shape; one axis may be -1, "what is left".
 * Equal axes at both ends cancel first, so a named batch axis never enters the arithmetic.
 *
 * @module
 */
import { product } from "./arith.ts";
import type { DivDim, Product } from "./arith.ts";
import type { As, Dim, Eq, Is0, IsMinus1, IsTuple, IsWild, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim } from "./text.ts";

/** T with its -1 worked out, if the elements of S fit it. */
export type Reshape<S, T> = ReshapeIn<S, T, Lits>;

/** @internal */
export type ReshapeIn<S, T, Z extends Lits> = IsTuple<T> extends true
  ? IsTuple<S> extends true
    ? Strip<S, T> extends [infer A, infer B]
      ? Given<B, Z> extends infer C extends unknown[] ? Len<B> extends Len<C> ? Plain<S, T, A, B, Z>
        : Len<B> extends Len<[...C, 0]> ? Fill<S, T, A, C, Z>
        : Broken<S, T, "only one axis may be -1", Z>
      : never
    : never
  : Good<Put<T, number, Z>>
  : Good<Shape>;
type Broken<S, T, M extends string, Z extends Lits> = Cannot<
  `reshape ${Show<S, Z>} to ${Show<T, Z>}`,
  `${M}`
>;
type Len<S> = S extends { length: infer N extends Dim } ? N : never;

type Strip<A, B> = A extends [infer L extends Dim, ...infer AR]
  ? B extends [infer R extends Dim, ...infer BR]
    ? Eq<L, R> extends true ? Strip<AR, BR> : StripEnd<A, B>
  : [A, B]
  : [A, B];
type StripEnd<A, B> = A extends [...infer AR, infer L extends Dim]
  ? B extends [...infer BR, infer R extends Dim] ? Eq<L, R> extends true ? StripEnd<AR, BR> : [A, B]
  : [A, B]
  : [A, B];
/** The axes that are not -1. */
type Given<T, Z extends Lits, Acc extends unknown[] = []> = T extends
  [infer H extends Dim, ...infer R]
  ? IsMinus1<H, Z> extends true ? Given<R, Z, Acc> : Given<R, Z, [...Acc, H]>
  : Acc;
/** T with V for -1. */
type Put<T, V, Z extends Lits> = { [K in keyof T]: IsMinus1<As<T[K]>, Z> extends true ? V : T[K] };
type HasWild<S, Z extends Lits> = S extends [infer H extends Dim, ...infer R]
  ? IsWild<H, Z> extends true ? true : HasWild<R, Z>
  : false;
type HasZero<S, Z extends Lits> = S extends [infer H extends Dim, ...infer R]
  ? Is0<H, Z> extends true ? true : HasZero<R, Z>
  : false;

type Plain<S, T, A, B, Z extends Lits> = HasWild<A, Z> extends true ? Good<T>
  : HasWild<B, Z> extends true ? Good<T>
  : { v: Product<A, Z>; w: Product<B, Z> } extends
    { v: infer L extends Dim; w: infer R extends Dim } ? Eq<L, R> extends true ? Good<T>
    : HasZero<S, Z> | HasZero<T, Z> extends true ? Good<T>
    : Broken<S, T, `${ShowDim<L, Z>} elements do not fit ${ShowDim<R, Z>}`, Z>
  : never;
type Fill<S, T, A, C, Z extends Lits> = HasWild<A, Z> extends true ? Good<Put<T, number, Z>>
  : HasWild<C, Z> extends true ? Good<Put<T, number, Z>>
  : { v: Product<A, Z>; w: Product<C, Z> } extends
    { v: infer L extends Dim; w: infer R extends Dim }
    ? { v: DivDim<L, R, Z> } extends { v: infer Q extends Dim }
      ? { v: Q } extends { v: never }
        ? Broken<S, T, `${ShowDim<L, Z>} elements do not divide by ${ShowDim<R, Z>}`, Z>
      : Good<Put<T, Q, Z>>
    : never
  : never;

/** The target with its -1 worked out, if the elements fit it. */
export function reshapeShape(shape: readonly number[], target: readonly number[]): Result {
  let i = 0, j = 0;
  const m = shape.length, n = target.length, shorter = Math.min(m, n);
  while (i < shorter && shape[i] === target[i]) i++;
  while (i + j < shorter && shape[m - 1 - j] === target[n - 1 - j]) j++;
  const wanted = target.slice(i, n - j), given = wanted.filter((d) => d !== -1);
  const have = product(shape.slice(i, m - j)), want = product(given);
  const broken = (must: string): Result =>
    cannot(`reshape ${show(shape)} to ${show(target)}`, must);
  if (wanted.length === given.length) {
    if (have === want || shape.includes(0) && target.includes(0)) return { ok: target };
    return broken(`${have} elements do not fit ${want}`);
  }
  if (wanted.length > given.length + 1) return broken("only one axis may be -1");
  if (want === 0 || have % want !== 0) return broken(`${have} elements do not divide by ${want}`);
  return { ok: target.map((d) => d === -1 ? have / want : d) };
}
