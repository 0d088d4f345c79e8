/** Sums, differences, products, quotients and remainders. */
import type { Numeric } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Arg, Broadcast, Ok, Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, type Operand, row } from "./elementwise.ts";

const numbers = ["f32", "f32", "f32", "f16", "bf16", "i32", "u32"] as const;
const apart = [[-3, 3], [0.5, 3]] as const;

export const addRow = row("add", X.add, { dtypes: numbers });
export const subRow = row("sub", X.sub, { dtypes: numbers });
export const mulRow = row("mul", X.mul, { dtypes: numbers });
export const divRow = row("div", X.div, { dtypes: numbers, domain: apart });
export const remRow = row("rem", X.rem, { dtypes: numbers, domain: apart, special: [0, -0] });

/**
 * Sum of two tensors, element by element; integers wrap.
 *
 * Shapes: [...A], [...B] -> their broadcast. A number takes the dtype of the tensor; dtypes are never promoted.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { add, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const table = add(tensor([[10], [20]]), tensor([1, 2, 3]));
 * assertEquals([...await read(table)], [11, 12, 13, 21, 22, 23]);
 * ```
 */
export function add<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"add", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"add", A, B>>, D> {
  return elementwise(addRow, a, b);
}

/**
 * Difference of two tensors, element by element; integers wrap.
 *
 * Shapes: [...A], [...B] -> their broadcast.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, sub, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(sub(tensor([5, 7]), tensor([1, 2])))], [4, 5]);
 * assertEquals([...await read(sub(tensor([0], "u32"), 1))], [4294967295]);
 * ```
 */
export function sub<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"sub", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"sub", A, B>>, D> {
  return elementwise(subRow, a, b);
}

/**
 * Product of two tensors, element by element; integers wrap.
 *
 * Shapes: [...A], [...B] -> their broadcast. 0 times infinity is NaN.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { mul, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(mul(tensor([1, 2, 3]), 2))], [2, 4, 6]);
 * ```
 */
export function mul<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"mul", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"mul", A, B>>, D> {
  return elementwise(mulRow, a, b);
}

/**
 * Quotient of two tensors, element by element; of integers, without the fraction.
 *
 * Shapes: [...A], [...B] -> their broadcast. x/0 is an infinity, 0/0 NaN; an integer by zero gives 0.
 * WGSL allows an error of 2.5 ulp in a float quotient.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { div, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(div(tensor([1, -3]), 2))], [0.5, -1.5]);
 * assertEquals([...await read(div(tensor([1, -3, 5], "i32"), tensor([2, 2, 0], "i32")))], [0, -1, 0]);
 * ```
 */
export function div<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"div", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"div", A, B>>, D> {
  return elementwise(divRow, a, b);
}

/**
 * Remainder of a division, element by element, with the sign of the dividend: a - b·trunc(a/b).
 *
 * Shapes: [...A], [...B] -> their broadcast. An integer by zero gives 0, a float NaN. Of floats it means something only
 * while |a/b| is below 2^24; the reference is exact beyond, other backends need not be.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, rem, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(rem(tensor([7, -7], "i32"), 3))], [1, -1]);
 * ```
 */
export function rem<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"rem", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"rem", A, B>>, D> {
  return elementwise(remRow, a, b);
}
