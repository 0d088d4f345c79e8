/**
 * Transcendental functions as polynomials and bit operations of the algebra, for targets without them or with poor ones.
 * Backends that share these agree to about 1e-6.
 *
 * Coefficients are minimax fits (Lawson's reweighted least squares); the arguments are reduced as in Cody and Waite, "Software Manual
 * for the Elementary Functions". Bounds in ulp, tested against double precision:
 *
 * | function | error       | range              | beyond                                                     |
 * | -------- | ----------- | ------------------ | ---------------------------------------------------------- |
 * | exp      | 1.5         | all                | subnormal results are rounded once more; 0 below -104      |
 * | expDown  | 1.5         | x <= 1             | as exp below, anything above                               |
 * | log      | 1.5         | all, subnormals too | log 0 = -infinity, of negative numbers NaN                |
 * | tanh     | 2.5         | all                |                                                            |
 * | erf      | 2.5         | all                |                                                            |
 * | sin, cos | 1e-7 absolute | \|x\| <= 1e4      | within [-1, 1], but meaningless; of infinity NaN            |
 *
 * NaN gives NaN everywhere; -0 keeps its sign through tanh, erf and sin.
 *
 * @module
 */
import * as X from "./expr.ts";
import type { Expr, ExprOp } from "./expr.ts";
import { clamp, polynomial } from "./polynomial.ts";
import { roundBf16, roundF16 } from "./quantize.ts";

const SIGN = 0x80000000;

/** Casts whose argument is known to fit, unless it is NaN, and whose result for NaN does not matter: a target may convert the quick way. */
export const bounded: WeakSet<Expr> = new WeakSet();

/** `x`, a whole number in f32 that fits, as i32. */
function integer(x: Expr): Expr {
  const cast = X.cast(x, "i32");
  bounded.add(cast);
  return cast;
}

/** The size of `size`, which is not negative, with the sign of `x`. */
function withSign(size: Expr, x: Expr): Expr {
  return X.bitcast(X.or(X.and(X.bitcast(x, "u32"), SIGN), X.bitcast(size, "u32")), "f32");
}

/** x / ln 2, rounded to a whole number n: as f32, and n + `bias` as an integer, of which the low ten bits are right. */
export type Rounding = (x: Expr, bias: number) => { readonly n: Expr; readonly bits: Expr };

/** By operators for it. */
const byRound: Rounding = (x, bias) => {
  const n = X.round(X.mul(x, Math.LOG2E));
  return { n, bits: X.add(integer(n), bias) };
};

/**
 * By a sum so great that its last place is 1: the integer is its bits. Fewer instructions, but only for targets that compute sums
 * as they stand: a compiler that may take (a + b) - b for a, as many of WGSL's do, undoes the rounding.
 */
export const bySum: Rounding = (x, bias) => {
  const high = 1.5 * 2 ** 23 + bias, sum = X.add(X.mul(x, Math.LOG2E), high);
  return { n: X.sub(sum, high), bits: X.bitcast(sum, "i32") };
};

/** x = n ln 2 + r with |r| <= ln 2 / 2: n + `bias` as bits, and `scale` e^r by a polynomial. */
function exponent(
  x: Expr,
  rounding: Rounding,
  bias: number,
  scale: number,
): { readonly bits: Expr; readonly mantissa: Expr } {
  const { n, bits } = rounding(x, bias);
  const r = X.sub(X.sub(x, X.mul(n, LN2_HIGH)), X.mul(n, LN2_LOW));
  const coefficients = [1, 1, 0.49999994, 0.16666521, 0.04166839, 0.008368745, 0.001381454];
  return { bits, mantissa: polynomial(r, coefficients.map((c) => c * scale)) };
}

/** 2^(n - 127) by exponent bits, for 1 <= n <= 254. */
const power = (n: Expr): Expr => X.bitcast(X.shl(n, 23), "f32");

/** 2^n is two factors, so that 2^128 and subnormals are reached. */
function exp(x: Expr, rounding: Rounding): Expr {
  const { bits, mantissa } = exponent(clamp(x, -104, 89), rounding, 254, 1);
  const half = X.shr(bits, 1);
  return X.mul(X.mul(mantissa, power(half)), power(X.sub(bits, half)));
}

/** One factor, as 2^-24 stands in the polynomial. */
function expDown(x: Expr, rounding: Rounding): Expr {
  const low = X.select(X.gt(-104, x), -104, x);
  const { bits, mantissa } = exponent(low, rounding, 127 + 24, 2 ** -24);
  return X.mul(mantissa, power(bits));
}
const LN2_HIGH = 0.693359375, LN2_LOW = -2.1219444005469e-4;

/** x = 2^e (1 + f) with 1 + f from sqrt(1/2) to sqrt 2. */
function log(x: Expr): Expr {
  const small = X.gt(2 ** -126, x);
  const bits = X.bitcast(X.select(small, X.mul(x, 2 ** 23), x), "i32");
  const e = X.shr(X.sub(bits, 0x3f3504f3), 23);
  const f = X.sub(X.bitcast(X.sub(bits, X.shl(e, 23)), "f32"), 1);
  const exponent = X.cast(X.sub(e, X.select(small, X.constant(23, "i32"), 0)), "f32");
  const p = polynomial(f, [
    0.3333331044,
    -0.2499998663,
    0.2000222671,
    -0.1666924933,
    0.1421865518,
    -0.1238437238,
    0.1187302006,
    -0.1178968485,
    0.06915125881,
  ]);
  const square = X.mul(f, f);
  const tail = X.add(X.mul(X.mul(p, f), square), X.mul(exponent, LN2_LOW));
  const finite = X.add(X.add(X.sub(tail, X.mul(square, 0.5)), f), X.mul(exponent, LN2_HIGH));
  const positive = X.select(X.gt(x, 3.4028234663852886e38), x, finite);
  return X.select(X.gt(x, 0), positive, X.select(X.eq(x, 0), -Infinity, NaN));
}

/** A polynomial near 0, so that small arguments keep their digits; (1 - e^-2a) / (1 + e^-2a) elsewhere. */
function tanh(x: Expr, rounding: Rounding): Expr {
  const a = X.abs(x), z = X.mul(a, a), t = expDown(X.mul(a, -2), rounding);
  const far = X.div(X.sub(1, t), X.add(1, t));
  const p = polynomial(z, [
    -0.3333333091,
    0.1333320976,
    -0.05394720427,
    0.02170296711,
    -8.18267386e-3,
    2.147536863e-3,
  ]);
  const near = X.add(X.mul(X.mul(p, z), a), a);
  return withSign(X.select(X.gt(0.625, a), near, far), x);
}

/** A polynomial near 0; 1 - e^q(a) elsewhere, where q fits the logarithm of erfc. */
function erf(x: Expr, rounding: Rounding): Expr {
  const a = X.abs(x), t = X.select(X.gt(a, 4), 4, a), z = X.mul(a, a);
  const q = polynomial(t, [
    1.758734769e-4,
    -1.129520818,
    -0.6333346647,
    -0.108293933,
    0.02512861532,
    -4.174639311e-3,
    4.352180791e-4,
    -2.1161833e-5,
  ]);
  const far = X.sub(1, expDown(q, rounding));
  const p = polynomial(z, [
    0.1283791666,
    -0.376126337,
    0.1128369394,
    -0.02685927078,
    5.200634304e-3,
    -8.137437537e-4,
    8.345224787e-5,
  ]);
  const near = X.add(X.mul(p, a), a);
  return withSign(X.select(X.gt(0.92, a), near, far), x);
}

/** x = k π/2 + r with |r| <= π/4, π/2 in three parts of which k times the first two is exact up to 1e4; then the polynomial of the quadrant. */
function quadrant(x: Expr): { readonly k: Expr; readonly sin: Expr; readonly cos: Expr } {
  const n = X.round(X.mul(x, 2 / Math.PI));
  const reduced = [1.5703125, 4.837512969970703e-4, 7.549790126404332e-8]
    .reduce((r, part) => X.sub(r, X.mul(n, part)), x);
  // Far from 0 the reduction fails; the clamp keeps the results within [-1, 1].
  const r = clamp(reduced, -0.7854, 0.7854), z = X.mul(r, r);
  const s = polynomial(z, [-0.1666666664, 8.333329144e-3, -1.983925663e-4, 2.717564423e-6]);
  const c = polynomial(z, [0.04166666662, -1.388888344e-3, 2.47994364e-5, -2.720330341e-7]);
  return {
    k: X.cast(n, "i32"),
    sin: X.add(X.mul(X.mul(s, z), r), r),
    cos: X.add(X.sub(X.mul(X.mul(c, z), z), X.mul(z, 0.5)), 1),
  };
}

/** `odd` in odd quadrants, else `even`; negative where bit 1 of k is set. */
function turned(k: Expr, even: Expr, odd: Expr): Expr {
  const value = X.select(X.eq(X.and(k, 1), 0), even, odd);
  const sign = X.shl(X.and(X.bitcast(k, "u32"), 2), X.constant(30, "u32"));
  return X.bitcast(X.xor(X.bitcast(value, "u32"), sign), "f32");
}

function sin(x: Expr): Expr {
  const { k, sin, cos } = quadrant(x);
  // k = 0 leaves x * … + x, which loses the sign of -0.
  return X.select(X.eq(x, 0), x, turned(k, sin, cos));
}

function cos(x: Expr): Expr {
  const { k, sin, cos } = quadrant(x);
  return turned(k, cos, X.neg(sin));
}

const bodies = { exp, expDown, log, tanh, erf, sin, cos, roundF16, roundBf16 } satisfies {
  readonly [Op in ExprOp]?: (x: Expr, rounding: Rounding) => Expr;
};

/** What `lower` can replace. */
export type Lowerable = keyof typeof bodies;

/** The ops that no target has: their bits must be the same everywhere. */
export const ALWAYS: readonly Lowerable[] = ["roundF16", "roundBf16"];
/** Every op that can be lowered. */
export const LOWERABLE: readonly Lowerable[] = [
  "exp",
  "expDown",
  "log",
  "tanh",
  "erf",
  "sin",
  "cos",
  ...ALWAYS,
];

function isLowerable(op: ExprOp): op is Lowerable {
  return op in bodies;
}

/** Replaces the ops of `missing`. Pass the same `seen` again, with the same `rounding`, to lower shared parts once. */
export function lower(
  roots: readonly Expr[],
  missing: readonly Lowerable[],
  seen: Map<Expr, Expr> = new Map(),
  rounding: Rounding = byRound,
): Expr[] {
  const rule = (e: Expr, args: readonly Expr[]): Expr =>
    isLowerable(e.op) && missing.includes(e.op)
      ? bodies[e.op](args[0]!, rounding)
      : e.args.length
      ? X.rebuild(e, args)
      : e;
  return roots.map((e) => X.rewrite(e, rule, seen));
}
