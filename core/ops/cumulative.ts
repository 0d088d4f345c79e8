/** Running sums. */
import type { Numeric } from "../dtype.ts";
import { settle } from "../execute.ts";
import { add, place, sliceAxis } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { type Arg, type OverAxis, overAxis, type Shape, unwrap } from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import type { Law } from "./law.ts";
import { inF32 } from "./reduce.ts";

export const cumsumLaw: Law = {
  law: "cumsum",
  draw: (d) => {
    const shape = d.shape(1, 3), axis = d.int(-shape.length, shape.length - 1);
    const dtype = d.oneOf(["f32", "f32", "f16", "i32", "u32"] as const);
    return {
      inputs: [{ shape, dtype, domain: [-3, 3], special: [NaN, Infinity, -Infinity, 1e-40] }],
      call: (x) => cumsum(x!, axis),
      smooth: dtype === "f32",
    };
  },
};

/** x moved up by `step` along an axis, zeros before it. */
function delayed(x: Node, axis: number, step: number): Node {
  const part = sliceAxis(x, axis, 0, x.shape[axis]! - step);
  const starts = x.shape.map((_, i) => i === axis ? step : 0), steps = x.shape.map(() => 1);
  return place(x.shape, [part], [{ starts, steps }]);
}

/**
 * Sums of the elements up to each one, along an axis.
 *
 * Shapes: [...S] -> [...S]. Integers wrap. Each pass doubles the reach (log₂ of the size, rounded up, passes), so that the
 * error grows as the logarithm of the size; f16 and bf16 are summed in f32 and rounded once.
 *
 * @throws {TypeError} if the axis is outside the shape.
 *
 * Source: Hillis and Steele, Data Parallel Algorithms, 1986
 *
 * @example
 * ```ts
 * import { cumsum, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(cumsum(tensor([1, 2, 3, 4]), 0))], [1, 3, 6, 10]);
 * ```
 */
export function cumsum<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"cumsum", S, A>, A>,
): Tensor<S, D> {
  const n = nodeOf(x), given = axis as A;
  unwrap(overAxis("cumsum", n.shape, given));
  const at = given < 0 ? given + n.shape.length : given;
  return wrap(settle(inF32(n, (start) => {
    let sums = start;
    for (let step = 1; step < n.shape[at]!; step *= 2) sums = add(sums, delayed(sums, at, step));
    return sums;
  })));
}
