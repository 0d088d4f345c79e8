/**
 * What approximations are made of.
 *
 * @module
 */
import * as X from "./expr.ts";
import type { Expr } from "./expr.ts";

/** c0 + c1 x + c2 x² + … by Horner's rule. */
export function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  return coefficients.slice(0, -1).reduceRight<Expr>(
    (sum, c) => X.add(X.mul(sum, x), c),
    X.constant(coefficients.at(-1)!),
  );
}

/** Not min and max: their rules for NaN cost more, and WGSL's may drop it. NaN passes here, as comparisons with it are false. */
export function clamp(x: Expr, low: number, high: number): Expr {
  const above = X.select(X.gt(low, x), low, x);
  return X.select(X.gt(above, high), high, above);
}
