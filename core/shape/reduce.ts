/**
 * Reductions: over all axes, over one, or over several, which must be distinct. With `keepdims` a reduced axis
 * stays as 1.
 *
 * @module
 */
import { axisIndex } from "./axis.ts";
import type { AxisIn, RemoveAt, SetAt } from "./axis.ts";
import type { IsTuple, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowNums } from "./text.ts";

/** What a reduction runs over: one axis, several, or `undefined` for all. */
export type Axes = number | readonly number[] | undefined;

/** Shape after reducing axis or axes Ax. */
export type Reduce<Op extends string, S, Ax, Keep = false> = ReduceIn<Op, S, Ax, Keep, Lits>;

/** @internal */
export type ReduceIn<Op extends string, S, Ax, Keep, Z extends Lits> = IsTuple<S> extends true
  ? boolean extends Keep ? Good<Shape>
  : Ax extends undefined ? Good<Keep extends true ? { -readonly [K in keyof S]: 1 } : []>
  : Ax extends readonly number[]
    ? number extends Ax["length"] | Ax[number] ? Good<Shape> : Several<Op, S, Ax, Keep, Z>
  : AxisIn<Op, S, Ax, Z> extends infer I ? I extends Fail<unknown> ? I : Good<Drop<S, I, Keep>>
  : never
  : Good<Shape>;
type Several<Op extends string, S, L, Keep, Z extends Lits> = Indices<Op, S, L, [], Z> extends
  infer I
  ? I extends Good<infer List extends unknown[]>
    ? Repeats<List> extends true
      ? Cannot<`${Op} ${Show<S, Z>} over axes ${ShowNums<L>}`, "axes must be distinct">
    : Good<Drop<S, List[number], Keep>>
  : I
  : never;
type Indices<Op extends string, S, L, Acc extends unknown[], Z extends Lits> = L extends
  readonly [infer H, ...infer R]
  ? AxisIn<Op, S, H, Z> extends infer I
    ? I extends Fail<unknown> ? I : Indices<Op, S, R, [...Acc, I], Z>
  : never
  : Good<Acc>;
/** Does a list of strings hold one twice? */
export type Repeats<L> = L extends readonly [infer H, ...infer R]
  ? H extends R[number] ? true : Repeats<R>
  : false;
type Drop<S, I, Keep> = Keep extends true ? SetAt<S, I, 1> : RemoveAt<S, I>;

/** Shape after reducing one axis, several, or all. */
export function reduceShape(
  op: string,
  shape: readonly number[],
  axis?: Axes,
  keepdims = false,
): Result {
  const axes = axis === undefined ? shape.keys() : typeof axis === "number" ? [axis] : axis;
  const reduced: number[] = [];
  for (const a of axes) {
    const at = axisIndex(op, shape, a);
    if ("fail" in at) return at;
    reduced.push(at.ok);
  }
  if (new Set(reduced).size < reduced.length) {
    const list = show(axis as readonly number[]);
    return cannot(`${op} ${show(shape)} over axes ${list}`, "axes must be distinct");
  }
  const kept = shape.map((d, i) => reduced.includes(i) ? 1 : d);
  return { ok: keepdims ? kept : shape.filter((_, i) => !reduced.includes(i)) };
}
