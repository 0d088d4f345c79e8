/** Rows added at ids. */
import type { Int, Numeric } from "../dtype.ts";
import { settle } from "../execute.ts";
import { add, cast, moveAxis, permute, scatter } from "../graph/build.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  oneDType,
  type ScatterAdd,
  scatterAddShape,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectIds, expectNumbers } from "./expect.ts";
import { floats, integers, type Law } from "./law.ts";
import { drawAxis } from "./movement.ts";

/**
 * x with updates added to the entries of an axis at ids: the transpose of `gather`.
 *
 * Shapes: x [...L, N, ...R], ids [...I], updates [...L, ...I, ...R] -> [...L, N, ...R]. Equal ids add up, in the order of
 * the ids; an id outside 0..N-1 adds nothing. f16 and bf16 add up in f32, are rounded, then added to x.
 *
 * @throws {TypeError} if x has no such axis, the updates have another shape, or dtypes differ.
 *
 * @example
 * ```ts
 * import { read, scatterAdd, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = scatterAdd(tensor([1, 1, 1]), tensor([2, 0, 2], "i32"), tensor([10, 20, 30]), 0);
 * assertEquals([...await read(y)], [21, 1, 41]);
 * ```
 */
export function scatterAdd<
  S extends Shape,
  D extends Numeric,
  I extends Shape,
  E extends Int,
  U extends Shape,
  const A extends number,
>(
  x: Tensor<S, D>,
  ids: Tensor<I, E>,
  updates: Arg<ScatterAdd<S, I, U, A>, Tensor<U, NoInfer<D>>>,
  axis: A,
): Tensor<S, D> {
  const [n, i, u] = [nodeOf(x), nodeOf(ids), nodeOf(updates as AnyTensor)];
  unwrap(scatterAddShape(n.shape, i.shape, u.shape, axis));
  unwrap(oneDType("scatterAdd", [n.dtype, u.dtype]));
  expectNumbers("scatterAdd", n);
  expectIds("scatterAdd at", i);
  const at = unwrap(axisIndex("scatterAdd", n.shape, axis)), axes = [...u.shape.keys()];
  // [...before, ...ids, ...after] to [...ids, ...before, ...after]
  const picked = axes.splice(at, i.shape.length);
  const sums = scatter(cast(i, "i32"), permute(u, [...picked, ...axes]), n.shape[at]!);
  return wrap(settle(add(n, moveAxis(sums, 0, at))));
}

export const scatterAddLaw: Law = {
  law: "scatterAdd",
  draw: (d) => {
    const shape = d.shape(1, 3), axis = drawAxis(d, shape), ids = d.shape(0, 2);
    const at = axis < 0 ? axis + shape.length : axis;
    return {
      inputs: [
        floats(shape),
        integers(ids, [-1, shape[at]!]),
        floats(shape.toSpliced(at, 1, ...ids)),
      ],
      call: (x, i, u) => scatterAdd(x!, i as Tensor<Shape, Int>, u!, axis),
      smooth: true,
    };
  },
};
