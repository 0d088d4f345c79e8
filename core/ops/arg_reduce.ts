/** Where the extrema stand. */
import type { Numeric } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { orderKey } from "../expr/order.ts";
import { compute, coordinate, expand, reduce } from "../graph/build.ts";
import { type Node, show } from "../graph/node.ts";
import type { Arg, Ok, Reduce, Shape } from "../shape/mod.ts";
import type { AnyTensor, Tensor } from "../tensor.ts";
import type { Law } from "./law.ts";
import { reduced } from "./reduce.ts";

export const argmaxLaw: Law = argLaw("argmax", argmax);
export const argminLaw: Law = argLaw("argmin", argmin);

function argLaw(law: string, call: (x: AnyTensor, axis: number) => AnyTensor): Law {
  return {
    law,
    draw: (d) => {
      const dtype = d.oneOf(["f32", "f32", "f16", "bf16", "i32", "u32"] as const);
      const others = d.shape(0, 3), at = d.int(0, others.length), size = d.int(1, 5);
      const shape = others.toSpliced(at, 0, size), axis = d.oneOf([at, at - shape.length]);
      // Few values, so that some are equal.
      return {
        inputs: [{ shape, dtype, domain: [-2, 2], special: true }],
        call: (x) => call(x!, axis),
        smooth: false,
        exact: true,
      };
    },
  };
}

function firstExtremum(op: string, x: Node, axis: number, keys: Node, best: Node): Node {
  if (x.shape[axis] === 0) {
    throw new RangeError(`Cannot ${op} ${show(x.shape)} over axis ${axis}: it must not be empty`);
  }
  const found = compute(
    (key, top, i) => X.select(X.eq(key, top), i, 0x7fffffff),
    [keys, expand(best, x.shape), coordinate(x.shape, axis)],
  );
  return reduce("min", found, [axis]);
}

/**
 * The index of the greatest element along an axis; of equal ones, the first.
 *
 * Shapes: [...S] -> S without the axis. NaN counts as greater than all, so the first NaN is found; 0 equals -0. Exact on
 * every backend. No gradient.
 *
 * @throws {TypeError} if the axis is outside the shape.
 * @throws {RangeError} if the axis is empty.
 *
 * @example
 * ```ts
 * import { argmax, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(argmax(tensor([[1, 5, 5], [7, 2, NaN]]), 1))], [1, 2]);
 * ```
 */
export function argmax<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Reduce<"argmax", S, A>, A>,
): Tensor<Ok<Reduce<"argmax", S, A>>, "i32"> {
  return reduced("argmax", x, axis as A, {}, (n, axes) => {
    const keys = compute((e) => orderKey(e), [n], "i32");
    return firstExtremum("argmax", n, axes[0]!, keys, reduce("max", keys, axes));
  });
}

/**
 * The index of the least element along an axis; of equal ones, the first.
 *
 * Shapes: [...S] -> S without the axis. NaN counts as less than all, so the first NaN is found; 0 equals -0. Exact on
 * every backend. No gradient.
 *
 * @throws {TypeError} if the axis is outside the shape.
 * @throws {RangeError} if the axis is empty.
 *
 * @example
 * ```ts
 * import { argmin, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(argmin(tensor([[1, 5, 1], [7, 2, 3]]), 1))], [0, 1]);
 * ```
 */
export function argmin<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Reduce<"argmin", S, A>, A>,
): Tensor<Ok<Reduce<"argmin", S, A>>, "i32"> {
  return reduced("argmin", x, axis as A, {}, (n, axes) => {
    const keys = compute((e) => orderKey(e, -0x80000000), [n], "i32");
    return firstExtremum("argmin", n, axes[0]!, keys, reduce("min", keys, axes));
  });
}
