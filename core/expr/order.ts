/**
 * Keys that sort as numbers do: integers, so that order is exact on every target, NaN and denormals included.
 *
 * @module
 */
import * as X from "./expr.ts";
import type { Expr } from "./expr.ts";

/** An i32 that is greater for a greater x, equal for 0 and -0, and `ofNaN` for every NaN. */
export function orderKey(x: Expr, ofNaN = 0x7fffffff): Expr {
  if (x.dtype === "i32") return x;
  if (x.dtype !== "f32") return X.bitcast(X.xor(X.cast(x, "u32"), 0x80000000), "i32");
  const bits = X.bitcast(x, "i32"), size = X.and(bits, 0x7fffffff);
  const number = X.select(X.gt(0, bits), X.neg(size), size);
  return X.select(X.gt(size, 0x7f800000), ofNaN, number);
}
