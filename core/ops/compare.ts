/** Comparisons. They give bool, and no gradient. Any comparison with NaN is false, but for `notEqual`, which is then true. */
import type { DType, Numeric } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Arg, Broadcast, Ok, Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, type Operand, row } from "./elementwise.ts";

const dtypes = ["f32", "f32", "f16", "bf16", "i32", "u32"] as const;
const whole = { dtypes: [...dtypes, "bool"], result: "bool", domain: [-2, 2] } as const;
const ordered = { dtypes, result: "bool" } as const;

export const equalRow = row("equal", X.eq, whole);
export const notEqualRow = row("notEqual", (a, b) => X.not(X.eq(a, b)), whole);
export const lessRow = row("less", (a, b) => X.gt(b, a), ordered);
export const lessEqualRow = row("lessEqual", (a, b) => X.ge(b, a), ordered);
export const greaterRow = row("greater", X.gt, ordered);
export const greaterEqualRow = row("greaterEqual", X.ge, ordered);

/**
 * Whether two elements are equal.
 *
 * Shapes: [...A], [...B] -> their broadcast. 0 equals -0; NaN equals nothing.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { equal, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(equal(tensor([1, 2, NaN]), tensor([1, 3, NaN])))], [1, 0, 0]);
 * ```
 */
export function equal<A extends Shape, D extends DType, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"equal", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"equal", A, B>>, "bool"> {
  return elementwise(equalRow, a, b);
}

/**
 * Whether two elements differ.
 *
 * Shapes: [...A], [...B] -> their broadcast. 0 equals -0; NaN differs from all.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { notEqual, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(notEqual(tensor([1, 2, NaN]), tensor([1, 3, NaN])))], [0, 1, 1]);
 * ```
 */
export function notEqual<A extends Shape, D extends DType, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"notEqual", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"notEqual", A, B>>, "bool"> {
  return elementwise(notEqualRow, a, b);
}

/**
 * Whether a is less than b.
 *
 * Shapes: [...A], [...B] -> their broadcast. False if either is NaN.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { less, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(less(tensor([1, 2, 3]), 2))], [1, 0, 0]);
 * ```
 */
export function less<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"less", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"less", A, B>>, "bool"> {
  return elementwise(lessRow, a, b);
}

/**
 * Whether a is at most b.
 *
 * Shapes: [...A], [...B] -> their broadcast. False if either is NaN.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { lessEqual, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(lessEqual(tensor([1, 2, 3]), 2))], [1, 1, 0]);
 * ```
 */
export function lessEqual<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"lessEqual", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"lessEqual", A, B>>, "bool"> {
  return elementwise(lessEqualRow, a, b);
}

/**
 * Whether a is greater than b.
 *
 * Shapes: [...A], [...B] -> their broadcast. False if either is NaN.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { greater, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(greater(tensor([1, 2, 3]), 2))], [0, 0, 1]);
 * ```
 */
export function greater<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"greater", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"greater", A, B>>, "bool"> {
  return elementwise(greaterRow, a, b);
}

/**
 * Whether a is at least b.
 *
 * Shapes: [...A], [...B] -> their broadcast. False if either is NaN.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { greaterEqual, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(greaterEqual(tensor([1, 2, 3]), 2))], [0, 1, 1]);
 * ```
 */
export function greaterEqual<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"greaterEqual", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"greaterEqual", A, B>>, "bool"> {
  return elementwise(greaterEqualRow, a, b);
}
