/**
 * Many vectors folded into one number: a sum, or the greatest or least, in several states that do not wait for one another.
 *
 * @module
 */
import type { ScalarType } from "../../expr/expr.ts";
import type { Combine } from "../../graph/node.ts";
import { type Code, f32x4, get, set, v128 } from "./encoder.ts";
import type { Locals } from "./pointers.ts";
import { acrossLanes, combining } from "./simd_expr.ts";

/** A fold being written. */
export interface Fold {
  readonly begin: Code;
  /** Takes a vector into state `i`; the value is read several times. */
  take(i: number, value: Code): Code;
  /** The result, in every lane. */
  end(): Code;
  /** Bits that change nothing. */
  readonly neutral: number;
}

/** A fold of `states` states. */
export function foldOf(combine: Combine, dtype: ScalarType, states: number, locals: Locals): Fold {
  return (combine === "max" || combine === "min") && dtype === "f32" && states > 1
    ? extremeFold(combine, states, locals)
    : plainFold(combine, dtype, states, locals);
}

const many = (states: number, locals: Locals): readonly number[] =>
  Array.from({ length: states }, () => locals.v128());

function plainFold(combine: Combine, dtype: ScalarType, states: number, locals: Locals): Fold {
  const { with: apply, neutral } = combining(combine, dtype), state = many(states, locals);
  return {
    neutral,
    begin: state.map((s) => set(s, locals.constant(neutral))),
    take: (i, value) => set(state[i]!, apply(get(state[i]!), value)),
    end: () => acrossLanes(apply, state.map(get).reduce(apply), locals),
  };
}

/**
 * Four instructions a vector where the right f32x4.max has eight on x86: NaN and the sign of zero are noted beside the greatest number.
 * If that is a zero, no number is above it, and it is 0 unless every number has a sign bit; of the least, all is the other way round.
 */
function extremeFold(combine: "max" | "min", states: number, locals: Locals): Fold {
  const isMax = combine === "max", { with: apply, neutral } = combining(combine, "f32");
  const best = many(states, locals), nan = many(states, locals), signs = many(states, locals);
  const pick = isMax ? f32x4.pmax : f32x4.pmin, join = isMax ? v128.and : v128.or;
  return {
    neutral,
    begin: best.map((b, i) => [
      set(b, locals.constant(neutral)),
      set(nan[i]!, locals.constant(0)),
      set(signs[i]!, locals.constant(isMax ? -1 : 0)),
    ]),
    take: (i, value) => [
      set(best[i]!, pick(get(best[i]!), value)),
      set(nan[i]!, v128.or(get(nan[i]!), f32x4.ne(value, value))),
      set(signs[i]!, join(get(signs[i]!), value)),
    ],
    end() {
      const found = locals.v128(), sign = locals.v128(), magnitude = locals.constant(0x7fffffff);
      const isZero = f32x4.eq(get(found), locals.constant(0));
      const signed = v128.bitselect(v128.andNot(get(sign), magnitude), get(found), isZero);
      return [
        set(found, acrossLanes(apply, best.map(get).reduce(apply), locals)),
        set(sign, acrossLanes(join, signs.map(get).reduce(join), locals)),
        v128.or(signed, acrossLanes(v128.or, nan.map(get).reduce(v128.or), locals)),
      ];
    },
  };
}
