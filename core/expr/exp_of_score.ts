/**
 * The exponential of what a softmax takes it of: scores less their maximum or less the logarithm of their sum.
 *
 * @module
 */
import * as X from "./expr.ts";
import type { Expr } from "./expr.ts";
import { polynomial } from "./polynomial.ts";

/** Added to a small number it leaves the nearest whole number in the last bits. */
const ROUNDER = 1.5 * 2 ** 23;
const LN2_HIGH = 0.693359375, LN2_LOW = -2.1219444005469e-4;
/** From here down, e^x is as good as 0, and not yet subnormal. */
const LEAST = -87;

/**
 * e^x for x ≤ 88, 0 for x < -87: a third fewer operations than `exp`, as one factor 2^n reaches everything. Within 2 ulp; NaN gives
 * NaN.
 */
export function expOfScore(x: Expr): Expr {
  const shifted = X.add(X.mul(x, Math.LOG2E), ROUNDER), n = X.sub(shifted, ROUNDER);
  const r = X.sub(X.sub(x, X.mul(n, LN2_HIGH)), X.mul(n, LN2_LOW));
  const mantissa = polynomial(r, [
    1,
    1,
    0.5,
    0.1666666687,
    0.04166625376,
    0.008333262638,
    1.394722492e-3,
    1.991937988e-4,
  ]);
  const power = X.bitcast(X.add(X.shl(X.bitcast(shifted, "i32"), 23), 127 << 23), "f32");
  return X.select(X.gt(LEAST, x), 0, X.mul(mantissa, power));
}
