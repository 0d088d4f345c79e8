/**
 * Axes in another order.
 *
 * @module
 */
import { axisIndex } from "./axis.ts";
import type { IndexOf } from "./axis.ts";
import type { Get, IsTuple, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowNums } from "./text.ts";

/** S with its axes in the order P. */
export type Permute<S, P> = PermuteIn<S, P, Lits>;

/** @internal */
export type PermuteIn<S, P, Z extends Lits> = IsTuple<S> extends true
  ? IsTuple<P> extends true
    ? P extends readonly number[]
      ? number extends P[number] ? Good<{ -readonly [K in keyof P]: number }>
      : Len<P> extends Len<S>
        ? [keyof Indices<S>] extends [Picked<S, P>]
          ? Good<{ -readonly [K in keyof P]: Get<S, IndexOf<S, P[K]>> }>
        : NoPermutation<S, P, Z>
      : NoPermutation<S, P, Z>
    : never
  : Good<Shape>
  : Good<Shape>;
type NoPermutation<S, P, Z extends Lits> = Cannot<
  `permute ${Show<S, Z>} by ${ShowNums<P>}`,
  "axes must be a permutation"
>;
type Len<S> = S extends readonly unknown[] ? S["length"] : never;
/** An object with the keys "0" to "rank - 1". */
type Indices<S> = { [K in keyof S as K extends `${number}` ? K : never]: 0 };
/** The indices that P names. Ranks are equal, so naming every one means naming each once. */
type Picked<S, P extends readonly number[]> = { [K in keyof P]: IndexOf<S, P[K]> }[number];

/** The shape with its axes in the order `axes`. */
export function permuteShape(shape: readonly number[], axes: readonly number[]): Result {
  const from = axes.flatMap((a) => {
    const at = axisIndex("permute", shape, a);
    return "ok" in at ? [at.ok] : [];
  });
  if (axes.length === shape.length && new Set(from).size === shape.length) {
    return { ok: from.map((i) => shape[i]!) };
  }
  return cannot(`permute ${show(shape)} by ${show(axes)}`, "axes must be a permutation");
}
