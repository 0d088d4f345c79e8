/**
 * Axes split, merged and reordered by a pattern of names: "b t (h d) -> b h t d". A group in brackets is one axis
 * of the tensor, its first name outermost; at most one name of a group may have no given size. `1` is an axis of
 * size 1, dropped on the left, made on the right.
 *
 * @module
 */
import { product } from "./arith.ts";
import type { DivDim, MulDim } from "./arith.ts";
import type { As, Dim, DimOf, Fits, Get, Is1, IsTuple, IsWild, Lits, Shape } from "./dim.ts";
import { parsePattern } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";
import { cannot } from "./result.ts";
import type { Cannot, Fail, Good, Result } from "./result.ts";
import { show } from "./text.ts";
import type { Show, ShowDim } from "./text.ts";

/** S rearranged by pattern P; G is the record of given sizes. */
export type Rearrange<P, S, G> = RearrangeIn<P, S, G, Lits>;

/** What went wrong, before the text. */
interface Wrong<M> {
  readonly wrong: M;
}
/** @internal */
export type RearrangeIn<P, S, G, Z extends Lits> = string extends P ? Good<Shape>
  : Pattern<P, keyof G> extends infer Parsed
    ? (Parsed extends Good<[infer I, infer O]>
      ? Bind<I, S, object, G, Z> extends infer V
        ? V extends Good<infer Env> ? Good<Build<O, Env, Z>> : V
      : never
      : Parsed extends Fail<infer M> ? Wrong<M>
      : never) extends infer R
      ? R extends Wrong<infer M extends string>
        ? Cannot<`rearrange ${Show<S, Z>} by '${P & string}'`, M>
      : R extends Unknown ? Good<Shape>
      : R
    : never
  : never;
/** The rank is known only at run time. */
interface Unknown {
  readonly unknown: true;
}

/** Binds the names on the left to the axes of S. */
type Bind<I, S, Env, G, Z extends Lits> = I extends readonly [infer H, ...infer IR]
  ? S extends readonly [infer D extends Dim, ...infer SR]
    ? H extends string ? H extends "1" ? Is1<D, Z> extends true ? Bind<IR, SR, Env, G, Z>
        : IsWild<D, Z> extends true ? Bind<IR, SR, Env, G, Z>
        : Wrong<`an axis written 1 must be 1 (${ShowDim<D, Z>})`>
      : H extends keyof G
        ? Fits<Given<G, H>, D, Z> extends true ? Bind<IR, SR, Env & { [K in H]: D }, G, Z>
        : Wrong<`${H} must be one size (${ShowDim<D, Z>} and ${ShowDim<Given<G, H>, Z>})`>
      : Bind<IR, SR, Env & { [K in H]: D }, G, Z>
    : BindGroup<H, D, G, 1, [], Z> extends infer V
      ? V extends Good<infer E> ? Bind<IR, SR, Env & E, G, Z> : V
    : never
  : IsTuple<S> extends true ? Wrong<"the left side must name each axis">
  : Unknown
  : S extends readonly [] ? Good<Env>
  : IsTuple<S> extends true ? Wrong<"the left side must name each axis">
  : Unknown;
type Given<G, H> = As<DimOf<Get<G, H>>>;
/** (h d) against D with h given: d is D / h. Open holds the names without a size. */
type BindGroup<I, D extends Dim, G, Known extends Dim, Open extends unknown[], Z extends Lits> =
  I extends readonly [infer H, ...infer R] ? H extends "1" ? BindGroup<R, D, G, Known, Open, Z>
    : H extends keyof G ? BindGroup<R, D, G, MulDim<Known, Given<G, H>, Z>, Open, Z>
    : BindGroup<R, D, G, Known, [...Open, H], Z>
    : Open extends [] ? Fits<Known, D, Z> extends true ? Good<{ [K in keyof G]: DimOf<G[K]> }>
      : Wrong<`a group must multiply to ${ShowDim<D, Z>} (${ShowDim<Known, Z>})`>
    : Open extends [infer H extends string]
      ? { v: DivDim<D, Known, Z> } extends { v: infer Q extends Dim }
        ? { v: Q } extends { v: never }
          ? Wrong<`${ShowDim<D, Z>} must be a multiple of ${ShowDim<Known, Z>}`>
        : Good<{ [K in H]: Q } & { [K in keyof G]: DimOf<G[K]> }>
      : never
    : Wrong<"a group must have one unknown size at most">;

type Build<O, Env, Z extends Lits, Acc extends unknown[] = []> = O extends
  readonly [infer H, ...infer R] ? Build<R, Env, Z, [...Acc, AxisOf<H, Env, Z>]>
  : Acc;
/** A lone name does not go through Merge: a product would leave a type parameter stuck. */
type AxisOf<H, Env, Z extends Lits> = H extends "1" ? 1
  : H extends string ? Get<Env, H>
  : Merge<H, Env, Z>;
type Merge<I, Env, Z extends Lits, Acc extends Dim = 1> = I extends readonly [infer H, ...infer R]
  ? Merge<R, Env, Z, H extends "1" ? Acc : MulDim<Acc, As<Get<Env, H>>, Z>>
  : Acc;

/** The shape rearranged by a pattern, with some sizes given. */
export function rearrangeShape(
  pattern: string,
  shape: readonly number[],
  given: Readonly<Record<string, number>> = {},
): Result {
  const wrong = (must: string): Result => cannot(`rearrange ${show(shape)} by '${pattern}'`, must);
  const parsed = parsePattern(pattern, Object.keys(given));
  if ("fail" in parsed) return wrong(parsed.fail);
  const [left, right] = parsed.ok;
  const sizes = new Map(Object.entries(given));
  for (const [i, group] of left.entries()) {
    const d = shape[i];
    if (d === undefined) return wrong("the left side must name each axis");
    const names = [group].flat().filter((name) => name !== "1");
    if (typeof group === "string") {
      const size = sizes.get(group) ?? d;
      if (group === "1" && d !== 1) return wrong(`an axis written 1 must be 1 (${d})`);
      if (size !== d) return wrong(`${group} must be one size (${d} and ${size})`);
      if (group !== "1") sizes.set(group, d);
      continue;
    }
    const open = names.filter((name) => !(name in given));
    const known = product(names.map((name) => given[name] ?? 1));
    if (open.length > 1) return wrong("a group must have one unknown size at most");
    if (!open.length) {
      if (known !== d) return wrong(`a group must multiply to ${d} (${known})`);
      continue;
    }
    if (known === 0 || d % known) return wrong(`${d} must be a multiple of ${known}`);
    sizes.set(open[0]!, d / known);
  }
  if (left.length < shape.length) return wrong("the left side must name each axis");
  const size = (name: string): number => name === "1" ? 1 : sizes.get(name)!;
  return { ok: right.map((group) => product([group].flat().map(size))) };
}
