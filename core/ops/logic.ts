/** Logic on bool, bit by bit on integers; and shifts. */
import type { Int } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import type { Arg, Broadcast, Ok, Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import { elementwise, type Operand, row } from "./elementwise.ts";

const bits = { dtypes: ["bool", "i32", "u32"], domain: [-100, 100] } as const;
const shifts = { dtypes: ["i32", "u32"], domain: [[-100, 100], [0, 40]] } as const;

export const andRow = row("and", X.and, bits);
export const orRow = row("or", X.or, bits);
export const xorRow = row("xor", X.xor, bits);
export const notRow = row("not", X.not, bits);
export const shiftLeftRow = row("shiftLeft", X.shl, shifts);
export const shiftRightRow = row("shiftRight", X.shr, shifts);

/**
 * Whether both are true; of integers, the bits that both have.
 *
 * Shapes: [...A], [...B] -> their broadcast.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { and, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(and(tensor([6], "i32"), tensor([3], "i32")))], [2]);
 * ```
 */
export function and<A extends Shape, D extends Int | "bool", B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"and", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"and", A, B>>, D> {
  return elementwise(andRow, a, b);
}

/**
 * Whether either is true; of integers, the bits that either has.
 *
 * Shapes: [...A], [...B] -> their broadcast.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { or, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(or(tensor([6], "i32"), tensor([3], "i32")))], [7]);
 * ```
 */
export function or<A extends Shape, D extends Int | "bool", B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"or", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"or", A, B>>, D> {
  return elementwise(orRow, a, b);
}

/**
 * Whether exactly one is true; of integers, the bits that exactly one has.
 *
 * Shapes: [...A], [...B] -> their broadcast.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, tensor, xor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(xor(tensor([6], "i32"), tensor([3], "i32")))], [5]);
 * ```
 */
export function xor<A extends Shape, D extends Int | "bool", B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"xor", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"xor", A, B>>, D> {
  return elementwise(xorRow, a, b);
}

/**
 * Whether each element is false; of integers, every bit turned.
 *
 * Shapes: [...S] -> [...S].
 *
 * @example
 * ```ts
 * import { not, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(not(tensor([1, 0], "bool")))], [0, 1]);
 * assertEquals([...await read(not(tensor([5], "i32")))], [-6]);
 * ```
 */
export function not<S extends Shape, D extends Int | "bool">(x: Tensor<S, D>): Tensor<S, D> {
  return elementwise(notRow, x);
}

/**
 * Bits moved up by as many places as the low five bits of b say.
 *
 * Shapes: [...A], [...B] -> their broadcast.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, shiftLeft, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(shiftLeft(tensor([1, 3], "u32"), 4))], [16, 48]);
 * ```
 */
export function shiftLeft<A extends Shape, D extends Int, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"shiftLeft", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"shiftLeft", A, B>>, D> {
  return elementwise(shiftLeftRow, a, b);
}

/**
 * Bits moved down by as many places as the low five bits of b say; of i32 the sign is kept.
 *
 * Shapes: [...A], [...B] -> their broadcast.
 *
 * @throws {TypeError} if shapes do not broadcast or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, shiftRight, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(shiftRight(tensor([16, -16], "i32"), 2))], [4, -4]);
 * ```
 */
export function shiftRight<A extends Shape, D extends Int, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"shiftRight", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"shiftRight", A, B>>, D> {
  return elementwise(shiftRightRow, a, b);
}
