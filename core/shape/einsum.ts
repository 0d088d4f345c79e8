/**
 * Einstein sums: "bqd,bkd->bqk". One letter an axis; equal letters are one size; a letter that the output lacks
 * is summed over. A letter stands once in an operand and once in the output (no diagonals, no "...").
 *
 * @module
 */
import type { As, Dim, Eq, IsTuple, IsWild, Lits, Shape } from "./dim.ts";
import { cannot } from "./result.ts";
import type { Cannot, Good, Result } from "./result.ts";
import { show, showAll } from "./text.ts";
import type { Show, ShowAll, ShowDim } from "./text.ts";

/** Shape of the Einstein sum of operands of shapes L by equation E. */
export type Einsum<E, L> = EinsumIn<E, L, Lits>;

/** What went wrong, before the text. */
interface Wrong<M> {
  readonly wrong: M;
}
/** @internal */
export type EinsumIn<E, L, Z extends Lits> = E extends `${infer I}->${infer O}`
  ? Operands<I, L, object, Z> extends infer V
    ? (V extends Good<infer Env> ? Output<O, Env> : V) extends infer R
      ? R extends Wrong<infer M extends string> ? Cannot<`einsum '${E}' with ${ShowAll<L, Z>}`, M>
      : R
    : never
  : never
  : string extends E ? Good<Shape>
  : Cannot<`einsum '${E & string}' with ${ShowAll<L, Z>}`, "there must be a '->'">;

type Operands<I, L, Env, Z extends Lits> = L extends readonly [infer S, ...infer LR]
  ? I extends `${infer T},${infer IR}`
    ? LR extends readonly [] ? Wrong<"the equation must have one term an operand">
    : Bind<T, S, Env, T, S, Z> extends infer V
      ? V extends Good<infer Env2> ? Operands<IR, LR, Env2, Z> : V
    : never
  : LR extends readonly [] ? Bind<I, S, Env, I, S, Z>
  : Wrong<"the equation must have one term an operand">
  : L extends readonly [] ? Wrong<"the equation must have one term an operand">
  : Good<Env>;
/** Binds the letters of term T to the axes of S. */
type Bind<T, S, Env, T0, S0, Z extends Lits> = T extends `${infer C}${infer R}`
  ? R extends `${string}${C}${string}` ? Wrong<`${C} must stand once in ${T0 & string}`>
  : S extends readonly [infer D extends Dim, ...infer SR]
    ? C extends keyof Env ? Eq<As<Env[C]>, D> extends true ? Bind<R, SR, Env, T0, S0, Z>
      : IsWild<D, Z> extends true ? Bind<R, SR, Env, T0, S0, Z>
      : IsWild<As<Env[C]>, Z> extends true ? Bind<R, SR, Omit<Env, C> & { [K in C]: D }, T0, S0, Z>
      : Wrong<`${C} must be one size (${ShowDim<As<Env[C]>, Z>} and ${ShowDim<D, Z>})`>
    : Bind<R, SR, Env & { [K in C]: D }, T0, S0, Z>
  : IsTuple<S> extends true ? Rank<T0, S0, Z>
  : Bind<R, S, Env & { [K in Exclude<C, keyof Env>]: number }, T0, S0, Z>
  : S extends readonly [] ? Good<Env>
  : IsTuple<S> extends true ? Rank<T0, S0, Z>
  : Good<Env>;
type Rank<T, S, Z extends Lits> = Wrong<`${T & string} must name each axis of ${Show<S, Z>}`>;
type Output<O, Env, Acc extends unknown[] = []> = O extends `${infer C}${infer R}`
  ? C extends keyof Env
    ? R extends `${string}${C}${string}` ? Wrong<`${C} must stand once in the output`>
    : Output<R, Env, [...Acc, Env[C]]>
  : Wrong<`${C} must stand in an operand`>
  : Good<Acc>;

/** Shape of the Einstein sum of operands of these shapes. */
export function einsumShape(
  equation: string,
  shapes: readonly (readonly number[])[],
): Result {
  const wrong = (must: string): Result =>
    cannot(`einsum '${equation}' with ${showAll(shapes)}`, must);
  const arrow = equation.indexOf("->");
  if (arrow < 0) return wrong("there must be a '->'");
  const terms = equation.slice(0, arrow).split(","), output = equation.slice(arrow + 2);
  const sizes = new Map<string, number>();
  const count = "the equation must have one term an operand";
  for (const [n, shape] of shapes.entries()) {
    const term = terms[n], last = n === shapes.length - 1;
    if (term === undefined || last !== (n === terms.length - 1)) return wrong(count);
    for (const [i, c] of [...term].entries()) {
      if (term.includes(c, i + 1)) return wrong(`${c} must stand once in ${term}`);
      const d = shape[i], known = sizes.get(c);
      if (d === undefined) return wrong(`${term} must name each axis of ${show(shape)}`);
      if (known !== undefined && known !== d) {
        return wrong(`${c} must be one size (${known} and ${d})`);
      }
      sizes.set(c, d);
    }
    if (term.length < shape.length) return wrong(`${term} must name each axis of ${show(shape)}`);
  }
  if (!shapes.length) return wrong(count);
  const out: number[] = [];
  for (const [i, c] of [...output].entries()) {
    const d = sizes.get(c);
    if (d === undefined) return wrong(`${c} must stand in an operand`);
    if (output.includes(c, i + 1)) return wrong(`${c} must stand once in the output`);
    out.push(d);
  }
  return { ok: out };
}
