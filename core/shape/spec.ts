/**
 * Sizes that must be known: those of parameters at compile time, and those of any new tensor at run time; and a
 * tensor of unknown sizes checked against a shape.
 *
 * @module
 */
import type { Dim, Eq, IsNum, IsTuple, IsWild, Lits } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim } from "./text.ts";

/**
 * The shape S of a parameter. Plain `number` is refused: `{ width: 768 }` without `as const` widens to `number`,
 * and would switch off every check on the parameter without a word.
 */
export type Static<S> = StaticIn<S, Lits>;
/** The target T, if S can be it. */
export type Expect<S, T> = ExpectIn<S, T, Lits>;

/** @internal */
export type StaticIn<S, Z extends Lits> = IsTuple<S> extends true
  ? HasWild<S, Z> extends true
    ? Cannot<`make a parameter of ${Show<S, Z>}`, "sizes must be literals (as const)">
  : Good<S>
  : Cannot<"make a parameter of [...]", "sizes must be literals (as const)">;
type HasWild<S, Z extends Lits> = S extends readonly [infer H extends Dim, ...infer R]
  ? IsWild<H, Z> extends true ? true : HasWild<R, Z>
  : false;

/** @internal */
export type ExpectIn<S, T, Z extends Lits> = IsTuple<S> extends true
  ? Compare<S, T, Z> extends infer R
    ? R extends true ? Good<T> : Cannot<`take ${Show<S, Z>} as ${Show<T, Z>}`, `${R & string}`>
  : never
  : Good<T>;
type Compare<S, T, Z extends Lits> = Len<S> extends Len<T> ? SameAxes<S, T, Z> : "ranks must match";
type Len<S> = S extends { length: infer N } ? N : never;
type SameAxes<S, T, Z extends Lits> = [S, T] extends
  [readonly [infer L extends Dim, ...infer SR], readonly [infer R extends Dim, ...infer TR]]
  ? Clash<L, R, Z> extends false ? SameAxes<SR, TR, Z>
  : `axes must match (${ShowDim<L, Z>} and ${ShowDim<R, Z>})`
  : true;
/** A name may stand for any size: only two literals can clash here. */
type Clash<L extends Dim, R extends Dim, Z extends Lits> = Eq<L, R> extends true ? false
  : IsNum<L, Z> extends true ? IsNum<R, Z>
  : false;

/** The shape, if a tensor can have it. */
export function freshShape(shape: readonly number[]): Result {
  if (shape.every((d) => Number.isSafeInteger(d) && d >= 0)) return { ok: shape };
  return cannot(`make a tensor of ${show(shape)}`, "sizes must be whole and not negative");
}

/** The shape, if it is the target; equal names in the target must stand for equal sizes. */
export function expectShapeOf(shape: readonly number[], target: readonly Dim[]): Result {
  const what = `take ${show(shape)} as [${target.join(", ")}]`;
  if (shape.length !== target.length) return cannot(what, "ranks must match");
  const names = new Map<Dim, number>();
  for (const [i, d] of shape.entries()) {
    const want = target[i]!, size = typeof want === "number" ? want : names.get(want) ?? d;
    if (size !== d) return cannot(what, `axes must match (${d} and ${size})`);
    names.set(want, d);
  }
  return { ok: shape };
}
