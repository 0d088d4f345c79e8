/**
 * Rounding to f16 and bf16 as integer operations of the algebra, to nearest even: what `lower` puts in the place of
 * roundF16 and roundBf16. WGSL's own quantizeToF16 may flush subnormals, so every target uses these.
 *
 * @module
 */
import * as X from "./expr.ts";
import type { Expr } from "./expr.ts";

const u32 = (value: number): Expr => X.constant(value, "u32");

/** The bf16 nearest to x; NaN stays NaN. */
export function roundBf16(x: Expr): Expr {
  const u = X.bitcast(x, "u32"), kept = u32(0xffff0000);
  const isNaN = X.gt(X.and(u, 0x7fffffff), 0x7f800000);
  const even = X.add(X.add(u, 0x7fff), X.and(X.shr(u, 16), 1));
  return X.bitcast(X.select(isNaN, X.or(X.and(u, kept), 0x400000), X.and(even, kept)), "f32");
}

/** The f16 nearest to x; infinity from 65520 on, subnormals kept. */
export function roundF16(x: Expr): Expr {
  const u = X.bitcast(x, "u32"), sign = X.and(u, 0x80000000), size = X.and(u, 0x7fffffff);
  const even = X.add(X.add(size, 0xfff), X.and(X.shr(size, 13), 1));
  const normal = X.and(even, u32(0xffffe000));
  // Adding 0.5 moves the last f16 bit to the last bit of the word; the count of 2^-24 is then an integer.
  const count = X.sub(X.bitcast(X.add(X.bitcast(size, "f32"), 0.5), "u32"), 0x3f000000);
  const small = X.bitcast(X.mul(X.cast(count, "f32"), 2 ** -24), "u32");
  const finite = X.select(X.gt(u32(0x38800000), size), small, normal);
  const large = X.select(X.gt(size, 0x7f800000), u32(0x7fc00000), u32(0x7f800000));
  return X.bitcast(X.or(sign, X.select(X.gt(u32(0x477ff000), size), finite, large)), "f32");
}
