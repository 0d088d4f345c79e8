/** The exponential's reductions, computed so that nothing overflows. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { compute, reduce } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import {
  type Arg,
  type Axes,
  type Ok,
  type OverAxis,
  overAxis,
  type Reduce,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import type { Law } from "./law.ts";
import { inF32, reduced, type ReduceOptions, reductionLaw } from "./reduce.ts";
import { stopped } from "./select.ts";

const special = [NaN, Infinity, -Infinity, 0, -0, 1e-40, 100, -100];

export const logSumExpLaw: Law = reductionLaw("logSumExp", logSumExp, {
  dtypes: ["f32", "f32", "f16", "bf16"],
  special,
});
export const softmaxLaw: Law = axisLaw("softmax", softmax);
export const logSoftmaxLaw: Law = axisLaw("logSoftmax", logSoftmax);

function axisLaw(law: string, call: (x: AnyTensor, axis: number) => AnyTensor): Law {
  return {
    law,
    draw: (d) => {
      const shape = d.shape(1, 4), axis = d.int(-shape.length, shape.length - 1);
      const dtype = d.oneOf(["f32", "f32", "f16", "bf16"] as const);
      return {
        inputs: [{ shape, dtype, domain: [-5, 5], special }],
        call: (x) => call(x!, axis),
        smooth: dtype === "f32",
      };
    },
  };
}

/**
 * What is subtracted before exp, so that its argument is never above 0: the greatest element, 0 where that is -infinity. It
 * cancels in every result, so it has no slope. `peak` will do where NaN anywhere makes the sum of the exponentials NaN, and
 * that every result.
 */
function shift(x: Node, axes: readonly number[], combine: "max" | "peak" = "peak"): Node {
  const top = stopped(reduce(combine, x, axes));
  return compute((m) => X.select(X.eq(m, -Infinity), 0, m), [top]);
}

function overOne(
  op: string,
  x: AnyTensor,
  axis: number,
  f: (x: Node, axes: readonly number[]) => Node,
): AnyTensor {
  const n = nodeOf(x);
  unwrap(overAxis(op, n.shape, axis));
  const at = axis < 0 ? axis + n.shape.length : axis;
  return wrap(settle(inF32(n, (y) => f(y, [at]))));
}

/**
 * Logarithm of the sum of exponentials, over an axis, several, or all: log Σ exp(x).
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. Computed in f32 around the greatest
 * element. Of nothing, or of -infinity alone, it is -infinity, with a gradient of NaN.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { logSumExp, read, tensor } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const [y] = await read(logSumExp(tensor([1000, 1000])));
 * assertAlmostEquals(y!, 1000 + Math.LN2, 1e-4);
 * ```
 */
export function logSumExp<
  S extends Shape,
  D extends Float,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"logSumExp", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"logSumExp", S, A, K>>, D> {
  return reduced("logSumExp", x, axis as Axes, options, (n, axes) =>
    inF32(n, (y) => {
      // Beside NaN and infinity the answer hangs on the greatest element alone.
      const m = shift(y, axes, "max"),
        sum = reduce("sum", compute((a, b) => X.expDown(X.sub(a, b)), [y, m]), axes);
      // Less infinity, an infinite element is NaN.
      return compute((s, b) => X.select(X.eq(b, Infinity), b, X.add(X.log(s), b)), [sum, m]);
    }));
}

/**
 * Exponentials along an axis, divided by their sum: exp(x) / Σ exp(x).
 *
 * Shapes: [...S] -> [...S]. Computed in f32 around the greatest element. Along an axis of -infinity alone, or one that
 * holds infinity or NaN, the result is NaN.
 *
 * @throws {TypeError} if the axis is outside the shape.
 *
 * @example
 * ```ts
 * import { read, softmax, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(softmax(tensor([[1, 1], [0, -Infinity]]), 1))], [0.5, 0.5, 1, 0]);
 * ```
 */
export function softmax<S extends Shape, D extends Float, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"softmax", S, A>, A>,
): Tensor<S, D> {
  return overOne("softmax", x, axis as A, (n, axes) => {
    const e = compute((a, b) => X.expDown(X.sub(a, b)), [n, shift(n, axes)]);
    // The sum is 1 at least, or all is NaN: its reciprocal costs half a last place, and a division a row instead of one an element.
    return compute((y, sum) => X.mul(y, X.div(1, sum)), [e, reduce("sum", e, axes)]);
  });
}

/**
 * Logarithm of the softmax along an axis: x - log Σ exp(x).
 *
 * Shapes: [...S] -> [...S]. Computed in f32 around the greatest element; far below it the result keeps its digits where
 * log(softmax(x)) has lost them. NaN where `softmax` has NaN.
 *
 * @throws {TypeError} if the axis is outside the shape.
 *
 * @example
 * ```ts
 * import { logSoftmax, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(logSoftmax(tensor([0, 500]), 0))], [-500, 0]);
 * ```
 */
export function logSoftmax<S extends Shape, D extends Float, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"logSoftmax", S, A>, A>,
): Tensor<S, D> {
  return overOne("logSoftmax", x, axis as A, (n, axes) => {
    const y = compute(X.sub, [n, shift(n, axes)]);
    const sum = reduce("sum", compute(X.expDown, [y]), axes);
    return compute((a, total) => X.sub(a, X.log(total)), [y, sum]);
  });
}
