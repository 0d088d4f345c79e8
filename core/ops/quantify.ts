/** Whether any or all elements are true. */
import * as X from "../expr/expr.ts";
import { cast, compute, reduce } from "../graph/build.ts";
import type { Combine, Node } from "../graph/node.ts";
import type { Arg, Axes, Ok, Reduce, Shape } from "../shape/mod.ts";
import type { Tensor } from "../tensor.ts";
import type { Law } from "./law.ts";
import { reduced, type ReduceOptions, reductionLaw } from "./reduce.ts";

export const anyLaw: Law = reductionLaw("any", any, { dtypes: ["bool"], special: false });
export const allLaw: Law = reductionLaw("all", all, { dtypes: ["bool"], special: false });

const asInteger = (combine: Combine) => (x: Node, axes: readonly number[]): Node =>
  compute((n) => X.gt(n, 0), [reduce(combine, cast(x, "i32"), axes)], "bool");

/**
 * Whether any element is true, over an axis, several, or all.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. Of nothing it is false.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { any, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(any(tensor([[1, 0], [0, 0]], "bool"), 1))], [1, 0]);
 * ```
 */
export function any<
  S extends Shape,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, "bool">,
  axis?: Arg<Reduce<"any", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"any", S, A, K>>, "bool"> {
  return reduced("any", x, axis as Axes, options, asInteger("max"));
}

/**
 * Whether all elements are true, over an axis, several, or all.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. Of nothing it is true.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { all, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(all(tensor([[1, 1], [0, 1]], "bool"), 1))], [1, 0]);
 * ```
 */
export function all<
  S extends Shape,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, "bool">,
  axis?: Arg<Reduce<"all", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"all", S, A, K>>, "bool"> {
  return reduced("all", x, axis as Axes, options, asInteger("min"));
}
