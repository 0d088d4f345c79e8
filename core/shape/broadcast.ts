/**
 * Broadcasting by NumPy's rule: axes are aligned from the last one; two axes fit if they are equal or one of
 * them is 1; a missing axis counts as 1.
 *
 * @module
 */
import type { As, Dim, Eq, Fits, Is1, IsTuple, IsWild, Lits, Shape, U } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim } from "./text.ts";

/** Shape of an elementwise op over A and B. */
export type Broadcast<Op extends string, A, B> = BroadcastIn<Op, A, B, Lits>;
/** Shape of `where(C, A, B)`. */
export type Where<C, A, B> = WhereIn<C, A, B, Lits>;
/** The target T, if S broadcasts to it. */
export type BroadcastTo<S, T> = BroadcastToIn<S, T, Lits>;
/** The whole of S, if the axes of G are its last ones: the shapes of a gain or a bias. */
export type Trailing<Op extends string, S, G> = TrailingIn<Op, S, G, Lits>;

/** Two axes that do not fit: both names. */
interface Clash<M> {
  readonly clash: M;
}
type Keys<S> = { [K in keyof S]: U<As<S[K]>> };
/** @internal */
export type BroadcastIn<Op extends string, A, B, Z extends Lits> =
  { p: Keys<A>; q: Keys<B>; r: A; s: B } extends { p: Keys<B>; q: Keys<A>; r: B; s: A } ? Good<A>
    : A extends [] ? Good<B>
    : B extends [] ? Good<A>
    : IsTuple<A> extends true
      ? IsTuple<B> extends true
        ? Align<A, B, [], Z> extends infer R
          ? R extends Clash<infer M extends string>
            ? Cannot<`${Op} ${Show<A, Z>} with ${Show<B, Z>}`, `axes must be equal or 1 (${M})`>
          : R
        : never
      : Good<Shape>
    : Good<Shape>;
/** From the last axis to the first. */
type Align<A, B, Acc extends unknown[], Z extends Lits> = A extends
  [...infer AI, infer L extends Dim]
  ? B extends [...infer BI, infer R extends Dim]
    ? Eq<L, R> extends true ? Align<AI, BI, [L, ...Acc], Z>
    : Is1<R, Z> extends true ? Align<AI, BI, [L, ...Acc], Z>
    : Is1<L, Z> extends true ? Align<AI, BI, [R, ...Acc], Z>
    : IsWild<L, Z> extends true ? Align<AI, BI, [R, ...Acc], Z>
    : IsWild<R, Z> extends true ? Align<AI, BI, [L, ...Acc], Z>
    : Clash<`${ShowDim<L, Z>} and ${ShowDim<R, Z>}`>
  : Good<[...A, ...Acc]>
  : B extends unknown[] ? Good<[...B, ...Acc]>
  : never;

/** @internal */
export type WhereIn<C, A, B, Z extends Lits> = BroadcastIn<"where", C, A, Z> extends infer R
  ? R extends Good<infer S> ? BroadcastIn<"where", S, B, Z> : R
  : never;

/** @internal */
export type BroadcastToIn<S, T, Z extends Lits> = IsTuple<S> extends true
  ? IsTuple<T> extends true ? Grow<S, T, Z> extends infer R ? R extends true ? Good<T>
      : Cannot<`broadcast ${Show<S, Z>} to ${Show<T, Z>}`, `${R & string}`>
    : never
  : Good<T>
  : Good<T>;
type Grow<S, T, Z extends Lits> = S extends readonly [...infer SI, infer L extends Dim]
  ? T extends readonly [...infer TI, infer R extends Dim] ? Is1<L, Z> extends true ? Grow<SI, TI, Z>
    : Fits<L, R, Z> extends true ? Grow<SI, TI, Z>
    : `axes must be equal or 1 (${ShowDim<L, Z>} and ${ShowDim<R, Z>})`
  : "the target must have as many axes"
  : true;

/** @internal */
export type TrailingIn<Op extends string, S, G, Z extends Lits> = IsTuple<S> extends true
  ? IsTuple<G> extends true ? Ends<S, G, Z> extends true ? Good<S>
    : Cannot<`${Op} ${Show<S, Z>} with ${Show<G, Z>}`, "last axes must match">
  : Good<S>
  : Good<S>;
type Ends<S, G, Z extends Lits> = G extends readonly [...infer GI, infer R extends Dim]
  ? S extends readonly [...infer SI, infer L extends Dim]
    ? Fits<L, R, Z> extends true ? Ends<SI, GI, Z> : false
  : false
  : true;

/** Shape of an elementwise op over a and b. */
export function broadcastShape(op: string, a: readonly number[], b: readonly number[]): Result {
  const out: number[] = [];
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const l = a.at(-i) ?? 1, r = b.at(-i) ?? 1;
    if (l !== r && l !== 1 && r !== 1) {
      const what = `${op} ${show(a)} with ${show(b)}`;
      return cannot(what, `axes must be equal or 1 (${l} and ${r})`);
    }
    out.unshift(l === 1 ? r : l);
  }
  return { ok: out };
}

/** Shape of `where(c, a, b)`. */
export function whereShape(
  c: readonly number[],
  a: readonly number[],
  b: readonly number[],
): Result {
  const first = broadcastShape("where", c, a);
  return "fail" in first ? first : broadcastShape("where", first.ok, b);
}

/** The target, if the shape broadcasts to it. */
export function broadcastToShape(shape: readonly number[], target: readonly number[]): Result {
  const what = `broadcast ${show(shape)} to ${show(target)}`;
  for (let i = 1; i <= shape.length; i++) {
    const l = shape.at(-i)!, r = target.at(-i);
    if (r === undefined) return cannot(what, "the target must have as many axes");
    if (l !== 1 && l !== r) return cannot(what, `axes must be equal or 1 (${l} and ${r})`);
  }
  return { ok: target };
}

/** The whole shape, if the axes of `last` are its last ones. */
export function trailingShape(
  op: string,
  shape: readonly number[],
  last: readonly number[],
): Result {
  if (last.every((d, i) => d === shape[shape.length - last.length + i])) return { ok: shape };
  return cannot(`${op} ${show(shape)} with ${show(last)}`, "last axes must match");
}
