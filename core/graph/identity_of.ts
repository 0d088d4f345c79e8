/**
 * What combining no elements gives.
 *
 * @module
 */
import { type DType, isFloat } from "../dtype.ts";
import type { Combine } from "./node.ts";

/** The element that changes nothing it is combined with: 0, or the end of the type that any other value beats. */
export function identityOf(combine: Combine, dtype: DType): number {
  if (combine === "sum") return 0;
  const [lowest, highest] = isFloat(dtype)
    ? [-Infinity, Infinity]
    : { i32: [-2147483648, 2147483647], u32: [0, 4294967295], bool: [0, 1] }[dtype];
  return combine === "min" ? highest! : lowest!;
}
