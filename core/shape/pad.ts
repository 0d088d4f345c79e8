/**
 * Axes grown at both ends.
 *
 * @module
 */
import type { AddDim } from "./arith.ts";
import type { As, Dim, IsTuple, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowNums } from "./text.ts";

/** S grown by P, one [before, after] an axis. */
export type Pad<S, P> = PadIn<S, P, Lits>;

/** @internal */
export type PadIn<S, P, Z extends Lits> = IsTuple<S> extends true
  ? IsTuple<P> extends true
    ? Len<S> extends Len<P>
      ? Negative<P> extends true ? Broken<S, P, "widths must not be negative", Z>
      : Good<{ -readonly [K in keyof S]: Grow<As<S[K]>, P[K & keyof P], Z> }>
    : Broken<S, P, "widths must be one pair an axis", Z>
  : Good<{ -readonly [K in keyof S]: number }>
  : Good<Shape>;
type Broken<S, P, M extends string, Z extends Lits> = Cannot<
  `pad ${Show<S, Z>} by [${ShowPairs<P>}]`,
  `${M}`
>;
type ShowPairs<P> = P extends readonly [infer H] ? ShowNums<H>
  : P extends readonly [infer H, ...infer R] ? `${ShowNums<H>}, ${ShowPairs<R>}`
  : "";
type Len<S> = S extends { length: infer N } ? N : never;
type Negative<P> = P extends readonly (readonly (infer N extends number)[])[]
  ? [Extract<`${N}`, `-${string}`>] extends [never] ? false : true
  : false;
type Grow<D extends Dim, P, Z extends Lits> = P extends
  readonly [infer L extends number, infer R extends number] ? AddDim<AddDim<D, L, Z>, R, Z>
  : number;

/** The shape grown by one [before, after] an axis. */
export function padShape(
  shape: readonly number[],
  widths: readonly (readonly [number, number])[],
): Result {
  const what = `pad ${show(shape)} by [${widths.map(show).join(", ")}]`;
  if (widths.length !== shape.length) return cannot(what, "widths must be one pair an axis");
  if (widths.flat().some((w) => w < 0)) return cannot(what, "widths must not be negative");
  return { ok: shape.map((d, i) => d + widths[i]![0] + widths[i]![1]) };
}
