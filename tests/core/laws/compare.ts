/**
 * When two backends agree.
 *
 * @module
 */
import { type DType, fromHost, type HostArray, isFloat } from "../../../core/dtype.ts";

/** Relative and absolute error allowed: half a last place more than rounding where the type is short. */
function limits(dtype: DType, tolerance: number): readonly [relative: number, absolute: number] {
  if (dtype === "f16") return [Math.max(tolerance, 2 ** -9.9), 2e-5];
  if (dtype === "bf16") return [Math.max(tolerance, 2 ** -6.9), 2e-5];
  return [tolerance, 2e-6];
}

const LARGEST: { readonly [D in DType]?: number } = { f32: 3.4e38, f16: 65000, bf16: 3.3e38 };

function agree(a: number, b: number, dtype: DType, tolerance: number, zeros: boolean): boolean {
  if (Object.is(a, b)) return true;
  if (!isFloat(dtype)) return a === b;
  if (a === b) return !zeros;
  if (!Number.isFinite(a) || !Number.isFinite(b)) {
    const [finite, other] = Number.isFinite(a) ? [a, b] : [b, a];
    return Math.abs(finite) > LARGEST[dtype]! && other === Math.sign(finite) * Infinity;
  }
  const [relative, absolute] = limits(dtype, tolerance);
  return Math.abs(a - b) <= relative * Math.abs(b) + absolute;
}

/** What differs first, in words; undefined if nothing. `zeros`: whether 0 differs from -0. */
export function difference(
  found: HostArray,
  expected: HostArray,
  dtype: DType,
  tolerance = 1e-5,
  zeros = false,
): string | undefined {
  if (found.length !== expected.length) return `${found.length} elements, not ${expected.length}`;
  const a = fromHost(found, dtype), b = fromHost(expected, dtype);
  for (let i = 0; i < a.length; i++) {
    if (!agree(a[i]!, b[i]!, dtype, tolerance, zeros)) {
      const text = (x: number): string => Object.is(x, -0) ? "-0" : String(x);
      return `${dtype} element ${i} is ${text(a[i]!)}, not ${text(b[i]!)}`;
    }
  }
  return undefined;
}
