/**
 * Expressions as JavaScript: what the reference computes with. Each operation is done in double precision and rounded
 * to its type, so the reference is at least as exact as any f32 target.
 *
 * @module
 */
import { fromBf16, fromF16, toBf16, toF16 } from "../dtype.ts";
import { castValue, type Expr, type ExprOp, type ScalarType, topological } from "./expr.ts";

/** erf in double precision: its Maclaurin series, and the continued fraction of erfc far from zero. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 3) {
    let f = 0;
    for (let k = 60; k > 0; k--) f = k / 2 / (a + f);
    return a > 6
      ? Math.sign(x)
      : Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + f)));
  }
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 && n < 200; n++) {
    term *= -x * x / n;
    sum += term / (2 * n + 1);
  }
  return x === 0 ? x : 2 / Math.sqrt(Math.PI) * sum;
}

function roundEven(x: number): number {
  const low = Math.floor(x), half = x - low;
  const rounded = half < 0.5 || (half === 0.5 && low % 2 === 0) ? low : low + 1;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : Number.isFinite(x) ? rounded : x;
}

const words = new DataView(new ArrayBuffer(4));
const bitsOf: { readonly [T in ScalarType]: (v: number) => void } = {
  f32: (v) => words.setFloat32(0, v),
  i32: (v) => words.setInt32(0, v),
  u32: (v) => words.setUint32(0, v),
  bool: (v) => words.setUint32(0, v),
};

/** `v` of type `from`, read as type `to`. */
export function bitcastValue(v: number, from: ScalarType, to: ScalarType): number {
  bitsOf[from](v);
  return to === "f32" ? words.getFloat32(0) : to === "i32" ? words.getInt32(0) : words.getUint32(0);
}

type Rule = (e: Expr, a: number, b: number, c: number) => number;
const isInteger = (e: Expr): boolean => e.dtype === "i32" || e.dtype === "u32";

/** One step of each operator, before rounding to the type of `e`. */
const rules: { readonly [Op in ExprOp]: Rule } = {
  in: () => NaN, // read by `evaluate`
  const: (e) => e.value,
  add: (_, a, b) => a + b,
  sub: (_, a, b) => a - b,
  mul: (e, a, b) => isInteger(e) ? Math.imul(a, b) : a * b,
  div: (e, a, b) => isInteger(e) ? (b === 0 ? 0 : Math.trunc(a / b)) : a / b,
  rem: (e, a, b) => isInteger(e) && b === 0 ? 0 : a % b,
  min: (_, a, b) => Math.min(a, b),
  max: (_, a, b) => Math.max(a, b),
  neg: (_, a) => -a,
  abs: (_, a) => Math.abs(a),
  sqrt: (_, a) => Math.sqrt(a),
  floor: (_, a) => Math.floor(a),
  ceil: (_, a) => Math.ceil(a),
  round: (_, a) => roundEven(a),
  gt: (_, a, b) => a > b ? 1 : 0,
  ge: (_, a, b) => a >= b ? 1 : 0,
  eq: (_, a, b) => a === b ? 1 : 0,
  not: (e, a) => e.dtype === "bool" ? 1 - a : ~a,
  and: (_, a, b) => a & b,
  or: (_, a, b) => a | b,
  xor: (_, a, b) => a ^ b,
  shl: (_, a, b) => a << b,
  shr: (e, a, b) => e.dtype === "u32" ? a >>> b : a >> b,
  select: (_, a, b, c) => a ? b : c,
  cast: (e, a) => castValue(a, e.dtype),
  bitcast: (e, a) => bitcastValue(a, e.args[0]!.dtype, e.dtype),
  exp: (_, a) => Math.exp(a),
  expDown: (_, a) => Math.exp(a),
  log: (_, a) => Math.log(a),
  tanh: (_, a) => Math.tanh(a),
  erf: (_, a) => erf(a),
  sin: (_, a) => Math.sin(a),
  cos: (_, a) => Math.cos(a),
  roundF16: (_, a) => fromF16(toF16(a)),
  roundBf16: (_, a) => fromBf16(toBf16(a)),
};

const round: { readonly [T in ScalarType]: (v: number) => number } = {
  f32: Math.fround,
  i32: (v) => v | 0,
  u32: (v) => v >>> 0,
  bool: (v) => v,
};

/** A function of the operands' values. Shared parts are computed once a call. */
export function compile(e: Expr): (xs: readonly number[]) => number {
  const order = topological([e]), at = new Map(order.map((n, i) => [n, i]));
  const steps = order.map((n) => ({
    e: n,
    rule: rules[n.op],
    round: round[n.dtype],
    args: n.args.map((a) => at.get(a)!),
  }));
  const values = new Float64Array(order.length);
  return (xs) => {
    steps.forEach(({ e, rule, round, args }, i) => {
      const [p = 0, q = 0, r = 0] = args;
      values[i] = e.op === "in" ? xs[e.value]! : round(rule(e, values[p]!, values[q]!, values[r]!));
    });
    return values[steps.length - 1]!;
  };
}
