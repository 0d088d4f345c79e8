/** Sums, means and extrema over axes. */
import { type DType, type Float, isFloat, type Numeric } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { cast, compute, constant, reduce, reshape } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import {
  type Arg,
  type Axes,
  type Ok,
  type Reduce,
  reduceShape,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import type { Drawn, Law } from "./law.ts";

/** Options of a reduction. */
export interface ReduceOptions<K extends boolean = boolean> {
  /** Whether a reduced axis stays, with size 1. */
  readonly keepdims?: K;
}

/** f of x in f32, rounded once to the dtype of x. */
export function inF32(x: Node, f: (x: Node) => Node): Node {
  return isFloat(x.dtype) ? cast(f(cast(x, "f32")), x.dtype) : f(x);
}

/** A reduction that leaves sizes of 1, checked and brought to the shape of its options. */
export function reduced(
  op: string,
  x: AnyTensor,
  axis: Axes,
  options: ReduceOptions,
  f: (x: Node, axes: readonly number[]) => Node,
): AnyTensor {
  const n = nodeOf(x), rank = n.shape.length;
  const shape = unwrap(reduceShape(op, n.shape, axis, options.keepdims));
  const given = axis === undefined ? [...n.shape.keys()] : typeof axis === "number" ? [axis] : axis;
  const out = f(n, given.map((a) => a < 0 ? a + rank : a));
  return wrap(settle(reshape(out, shape)));
}

/** The mean over axes that stay, in f32. */
export function meanNode(x: Node, axes: readonly number[]): Node {
  const count = axes.reduce((product, a) => product * x.shape[a]!, 1);
  return compute(X.div, [reduce("sum", x, axes), constant(count)]);
}

/** The call of a reduction that laws make. */
export type Reduction = (x: AnyTensor, axis: Axes, options: ReduceOptions) => AnyTensor;

/** The law of a reduction over one axis, several or all, with or without keepdims. */
export function reductionLaw(
  law: string,
  call: Reduction,
  options: Pick<Drawn, "special"> & {
    readonly dtypes: readonly DType[];
    readonly smooth?: boolean;
  },
): Law {
  return {
    law,
    draw: (d) => {
      const shape = d.shape(0, 4),
        dtype = d.oneOf(options.dtypes),
        keepdims = d.oneOf([true, false]);
      const some = [...shape.keys()].filter(() => d.int(0, 1) === 1);
      const one = shape.length ? d.int(-shape.length, shape.length - 1) : undefined;
      const axis = d.oneOf([undefined, one, some]);
      return {
        inputs: [{ shape, dtype, domain: [-3, 3], special: options.special }],
        call: (x) => call(x!, axis, { keepdims }),
        smooth: dtype === "f32" && options.smooth !== false,
      };
    },
  };
}

const dtypes = ["f32", "f32", "f32", "f16", "bf16", "i32", "u32"] as const;
// Sums of huge numbers may overflow on the way in one order and not in another.
const summable = [NaN, Infinity, -Infinity, 0, 1e-40];

export const sumLaw: Law = reductionLaw("sum", sum, { dtypes, special: summable });
export const meanLaw: Law = reductionLaw("mean", mean, {
  dtypes: ["f32", "f16", "bf16"],
  special: summable,
});
export const maxLaw: Law = reductionLaw("max", max, { dtypes, special: true });
export const minLaw: Law = reductionLaw("min", min, { dtypes, special: true });

/**
 * Sum over an axis, several, or all; integers wrap.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. f16 and bf16 are summed in f32 and
 * rounded once. A sum of nothing is 0. The sign of a sum that is 0 is not defined.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { read, sum, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals([...await read(sum(x))], [21]);
 * assertEquals([...await read(sum(x, 0))], [5, 7, 9]);
 * assertEquals([...sum(x, -1, { keepdims: true }).shape], [2, 1]);
 * ```
 */
export function sum<
  S extends Shape,
  D extends Numeric,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"sum", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"sum", S, A, K>>, D> {
  return reduced("sum", x, axis as Axes, options, (n, axes) => reduce("sum", n, axes));
}

/**
 * Arithmetic mean over an axis, several, or all.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. f16 and bf16 are averaged in f32 and
 * rounded once. A mean of nothing is NaN.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { mean, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(mean(tensor([[1, 2, 3], [4, 5, 6]]), 1))], [2, 5]);
 * ```
 */
export function mean<
  S extends Shape,
  D extends Float,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"mean", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"mean", S, A, K>>, D> {
  return reduced(
    "mean",
    x,
    axis as Axes,
    options,
    (n, axes) => inF32(n, (y) => meanNode(y, axes)),
  );
}

/**
 * Greatest element over an axis, several, or all.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. NaN if any element is NaN (on
 * `webgpu` a NaN may be passed over). Of nothing it is -infinity, or the least integer. The gradient is shared
 * equally among the elements that are greatest.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { max, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(max(tensor([[1, 5, 3], [4, 2, 6]]), 1))], [5, 6]);
 * ```
 */
export function max<
  S extends Shape,
  D extends Numeric,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"max", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"max", S, A, K>>, D> {
  return reduced("max", x, axis as Axes, options, (n, axes) => reduce("max", n, axes));
}

/**
 * Least element over an axis, several, or all.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. NaN if any element is NaN (on
 * `webgpu` a NaN may be passed over). Of nothing it is infinity, or the greatest integer. The gradient is shared
 * equally among the elements that are least.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { min, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(min(tensor([[1, 5, 3], [4, 2, 6]]), 1))], [1, 2]);
 * ```
 */
export function min<
  S extends Shape,
  D extends Numeric,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"min", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"min", S, A, K>>, D> {
  return reduced("min", x, axis as Axes, options, (n, axes) => reduce("min", n, axes));
}
