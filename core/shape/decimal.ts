/**
 * Exact arithmetic on number literals: 768 is the digits ["8", "6", "7"], lowest first.
 * Parameters are left unconstrained on purpose: indexing a table with a constrained parameter makes the checker
 * expand the whole table into unions.
 *
 * @module
 */
import type { AddTable, MulTable, SubTable } from "./digits.ts";
import type { Get } from "./dim.ts";

type Digits<S, Acc extends unknown[] = []> = S extends `${infer H}${infer R}`
  ? Digits<R, [H, ...Acc]>
  : Acc;
type Text<A, Acc extends string = ""> = A extends [infer H extends string, ...infer R]
  ? Text<R, `${H}${Acc}`>
  : Acc;
type TrimText<S> = S extends `0${infer R}` ? (R extends "" ? "0" : TrimText<R>) : S;
type ToNumber<S> = TrimText<S> extends `${infer N extends number}` ? N : never;
type Trim<A> = A extends [...infer R, "0"] ? Trim<R> : A;

type AddDigits<A, B, C = "0", Acc extends unknown[] = []> = A extends [infer X, ...infer AR]
  ? B extends [infer Y, ...infer BR]
    ? Get<Get<Get<AddTable, C>, X>, Y> extends `${infer C2}${infer D}`
      ? AddDigits<AR, BR, C2, [...Acc, D]>
    : never
  : C extends "0" ? [...Acc, ...A]
  : Get<Get<Get<AddTable, C>, X>, "0"> extends `${infer C2}${infer D}`
    ? AddDigits<AR, [], C2, [...Acc, D]>
  : never
  : B extends [] ? C extends "0" ? Acc : [...Acc, "1"]
  : AddDigits<B, [], C, Acc>;

/** A - B, or "negative". */
type SubDigits<A, B, C = "0", Acc extends unknown[] = []> = A extends [infer X, ...infer AR]
  ? B extends [infer Y, ...infer BR]
    ? Get<Get<Get<SubTable, C>, X>, Y> extends `${infer C2}${infer D}`
      ? SubDigits<AR, BR, C2, [...Acc, D]>
    : never
  : C extends "0" ? [...Acc, ...A]
  : Get<Get<Get<SubTable, C>, X>, "0"> extends `${infer C2}${infer D}`
    ? SubDigits<AR, [], C2, [...Acc, D]>
  : never
  : B extends [] ? C extends "0" ? Acc : "negative"
  : "negative";

/** A times one digit. */
type MulDigit<A, D, C = "0", Acc extends unknown[] = []> = A extends [infer X, ...infer R]
  ? Get<Get<Get<MulTable, C>, X>, D> extends `${infer C2}${infer E}`
    ? MulDigit<R, D, C2, [...Acc, E]>
  : never
  : C extends "0" ? Acc
  : [...Acc, C];
/** A times B by Horner's rule over the text of B. */
type MulDigits<A, B, Acc extends unknown[] = []> = B extends `${infer D}${infer R}` ? MulDigits<
    A,
    R,
    Acc extends [] ? D extends "0" ? [] : MulDigit<A, D>
      : D extends "0" ? ["0", ...Acc]
      : AddDigits<["0", ...Acc], MulDigit<A, D>>
  >
  : Acc;

/** The sum of two number literals. */
export type Add<A extends number, B extends number> = ToNumber<
  Text<AddDigits<Digits<`${A}`>, Digits<`${B}`>>>
>;
/** A - B, or never if that is negative. */
export type Sub<A extends number, B extends number> =
  SubDigits<Digits<`${A}`>, Digits<`${B}`>> extends infer R extends unknown[] ? ToNumber<Text<R>>
    : never;
/** The product of two number literals. */
export type Mul<A extends number, B extends number> = A extends 1 ? B
  : B extends 1 ? A
  : A extends 0 ? 0
  : B extends 0 ? 0
  : ToNumber<Text<MulDigits<Digits<`${A}`>, `${B}`>>>;

/** [digit, remainder] of R by a divisor whose multiples are M1, M2, M3, M5; R is below ten times M1. */
type DivDigit<R, M1, M2, M3, M5> = SubDigits<R, M5> extends infer R5 extends unknown[]
  ? SubDigits<R5, M3> extends infer R8 extends unknown[]
    ? SubDigits<R8, M1> extends infer R9 extends unknown[] ? ["9", R9] : ["8", R8]
  : SubDigits<R5, M2> extends infer R7 extends unknown[] ? ["7", R7]
  : SubDigits<R5, M1> extends infer R6 extends unknown[] ? ["6", R6]
  : ["5", R5]
  : SubDigits<R, M3> extends infer R3 extends unknown[]
    ? SubDigits<R3, M1> extends infer R4 extends unknown[] ? ["4", R4] : ["3", R3]
  : SubDigits<R, M2> extends infer R2 extends unknown[] ? ["2", R2]
  : SubDigits<R, M1> extends infer R1 extends unknown[] ? ["1", R1]
  : ["0", R];
type DivDigits<N, M1, M2, M3, M5, Rest extends unknown[] = [], Q extends string = ""> = N extends
  `${infer D}${infer R}`
  ? DivDigit<Trim<[D, ...Rest]>, M1, M2, M3, M5> extends [infer E extends string, infer S]
    ? Trim<S> extends infer T extends unknown[] ? DivDigits<R, M1, M2, M3, M5, T, `${Q}${E}`>
    : never
  : never
  : [Q, Rest];
/** [quotient, remainder] of two number literals; undefined for a divisor of 0. */
export type DivMod<A extends number, B extends number> = B extends 1 ? [A, 0]
  : B extends 0 ? undefined
  : A extends B ? [1, 0]
  : Digits<`${B}`> extends infer D
    ? DivDigits<`${A}`, D, MulDigit<D, "2">, MulDigit<D, "3">, MulDigit<D, "5">> extends
      [infer Q, infer R] ? [ToNumber<Q>, R extends [] ? 0 : ToNumber<Text<R>>]
    : never
  : never;
/** A / B, or never if B does not divide A. */
export type Div<A extends number, B extends number> = DivMod<A, B> extends
  [infer Q extends number, 0] ? Q : never;
