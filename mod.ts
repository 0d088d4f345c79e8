/**
 * Motian: an immutably typed tensor library for Deno in which a shape error is a compile error.
 *
 * @example
 * ```ts
 * import { matmul, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const a = tensor([[1, 2, 3], [4, 5, 6]]);
 * const b = tensor([[1], [0], [1]]);
 * assertEquals([...await read(matmul(a, b))], [4, 10]);
 * ```
 *
 * @module
 */
export * from "./core/mod.ts";
