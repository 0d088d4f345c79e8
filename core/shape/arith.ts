/**
 * Arithmetic on axes: exact on number literals, symbolic products of names ("B*T"), `number` where unknown.
 *
 * @module
 */
import type { Add, Div, Mul, Sub } from "./decimal.ts";
import type { Dim, Eq, Is0, Is1, IsNum, IsWild, Lits } from "./dim.ts";

/** L * R. */
export type MulDim<L extends Dim, R extends Dim, Z extends Lits> = Is1<L, Z> extends true ? R
  : Is1<R, Z> extends true ? L
  : IsWild<L, Z> extends true ? number
  : IsWild<R, Z> extends true ? number
  : IsNum<L, Z> extends true ? IsNum<R, Z> extends true ? Mul<L & number, R & number> : `${L}*${R}`
  : `${L}*${R}`;
/** L / R, or never if it is not exact. */
export type DivDim<L extends Dim, R extends Dim, Z extends Lits> = Is1<R, Z> extends true ? L
  : IsWild<L, Z> extends true ? number
  : IsWild<R, Z> extends true ? number
  : IsNum<L, Z> extends true ? IsNum<R, Z> extends true ? Div<L & number, R & number> : never
  : Eq<L, R> extends true ? 1
  : L extends `${R}*${infer X}` ? Parse<X>
  : L extends `${infer X}*${R}` ? Parse<X>
  : never;
type Parse<X extends string> = X extends `${infer N extends number}` ? N : X;
/** L + R; unknown unless both are number literals or one is 0. */
export type AddDim<L extends Dim, R extends Dim, Z extends Lits> = Is0<R, Z> extends true ? L
  : Is0<L, Z> extends true ? R
  : IsNum<L, Z> extends true ? IsNum<R, Z> extends true ? Add<L & number, R & number> : number
  : number;
/** L - R, never if negative; unknown unless both are number literals or R is 0. */
export type SubDim<L extends Dim, R extends Dim, Z extends Lits> = Is0<R, Z> extends true ? L
  : IsNum<L, Z> extends true ? IsNum<R, Z> extends true ? Sub<L & number, R & number> : number
  : number;
/** The product of all axes. */
export type Product<S, Z extends Lits, Acc extends Dim = 1> = S extends
  readonly [infer H extends Dim, ...infer R] ? Product<R, Z, MulDim<Acc, H, Z>>
  : S extends readonly [] ? Acc
  : number;

/** The product of all axes. */
export function product(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}
