/**
 * Batched matrix product: [..., M, K] and [..., K, N] give [..., M, N]; the axes before broadcast.
 *
 * @module
 */
import { broadcastShape, trailingShape } from "./broadcast.ts";
import type { BroadcastIn, TrailingIn } from "./broadcast.ts";
import type { Dim, Fits, IsTuple, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show } from "./text.ts";

/** Shape of the matrix product of A and B. */
export type Matmul<A, B, Op extends string = "matmul"> = MatmulIn<Op, A, B, Lits>;
/** Shape of X W + b. */
export type Linear<X, W, B> = LinearIn<X, W, B, Lits>;

/** @internal */
export type MatmulIn<Op extends string, A, B, Z extends Lits> = A extends
  [...infer AB, infer M extends Dim, infer K extends Dim]
  ? B extends [...infer BB, infer K2 extends Dim, infer N extends Dim]
    ? Fits<K, K2, Z> extends true ? BB extends [] ? Good<[...AB, M, N]>
      : BroadcastIn<Op, AB, BB, Z> extends infer R
        ? R extends Good<infer X extends unknown[]> ? Good<[...X, M, N]>
        : Broken<Op, A, B, "batch axes must be equal or 1", Z>
      : never
    : Broken<Op, A, B, "inner axes must match", Z>
  : IsTuple<B> extends true ? Broken<Op, A, B, "each must have 2 axes or more", Z>
  : Good<Shape>
  : IsTuple<A> extends true ? Broken<Op, A, B, "each must have 2 axes or more", Z>
  : Good<Shape>;
type Broken<Op extends string, A, B, M extends string, Z extends Lits> = Cannot<
  `${Op} ${Show<A, Z>} with ${Show<B, Z>}`,
  `${M}`
>;
/** @internal */
export type LinearIn<X, W, B, Z extends Lits> = MatmulIn<"linear", X, W, Z> extends infer R
  ? R extends Good<infer S> ? TrailingIn<"linear", S, B, Z> : R
  : never;

/** Shape of the matrix product of a and b. */
export function matmulShape(
  a: readonly number[],
  b: readonly number[],
  op = "matmul",
): Result {
  const broken = (must: string): Result => cannot(`${op} ${show(a)} with ${show(b)}`, must);
  if (a.length < 2 || b.length < 2) return broken("each must have 2 axes or more");
  if (a.at(-1) !== b.at(-2)) return broken("inner axes must match");
  const batch = broadcastShape(op, a.slice(0, -2), b.slice(0, -2));
  if ("fail" in batch) return broken("batch axes must be equal or 1");
  return { ok: [...batch.ok, a.at(-2)!, b.at(-1)!] };
}

/** Shape of x w + b. */
export function linearShape(
  x: readonly number[],
  w: readonly number[],
  b: readonly number[],
): Result {
  const out = matmulShape(x, w, "linear");
  return "fail" in out ? out : trailingShape("linear", out.ok, b);
}
