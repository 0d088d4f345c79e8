/** The transpose of takeAlongAxis. */
import type { DType, Numeric } from "../dtype.ts";
import { settle } from "../execute.ts";
import { cast, moveAxis, scatter } from "../graph/build.ts";
import { sameShape, show } from "../graph/node.ts";
import type { Shape } from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { floats, integers, type Law } from "./law.ts";

/**
 * Adds up the updates whose ids along an axis are equal: out[…, id, …] = Σ updates[…, n, …] over the n with ids[…, n, …] = id.
 *
 * Shapes: ids and updates alike, [..., N, ...] -> [..., size, ...]. An id outside 0..size-1 adds nothing. Sums go in the order of n.
 *
 * @throws {TypeError} if ids and updates differ in shape.
 *
 * @example
 * ```ts
 * import { addAlongAxis, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = addAlongAxis(tensor([[0, 2, 0]], "i32"), tensor([[1, 10, 100]]), 3, 1);
 * assertEquals([...await read(y)], [101, 0, 10]);
 * ```
 */
export function addAlongAxis<S extends Shape, D extends Numeric>(
  ids: Tensor<S, "i32">,
  updates: Tensor<S, D>,
  size: number,
  axis: number,
): Tensor<Shape, D> {
  const [i, u] = [nodeOf(ids as AnyTensor), nodeOf(updates as AnyTensor)], rank = u.shape.length;
  const at = axis < 0 ? axis + rank : axis;
  if (!sameShape(i.shape, u.shape) || !(at >= 0 && at < rank)) {
    throw new TypeError(
      `Cannot add ${show(u.shape)} along axis ${axis} at ids ${
        show(i.shape)
      }: shapes must be equal`,
    );
  }
  const [from, to] = [moveAxis(i, at, rank - 1), moveAxis(u, at, rank - 1)];
  const sums = scatter(cast(from, "i32"), to, size, rank - 1);
  return wrap(settle(moveAxis(cast(sums, u.dtype as DType), rank - 1, at)));
}

export const addAlongAxisLaw: Law = {
  law: "addAlongAxis",
  draw: (d) => {
    const shape = d.shape(1, 3), axis = d.int(0, shape.length - 1), size = d.int(1, 4);
    return {
      inputs: [integers(shape, [-1, size]), floats(shape)],
      call: (ids, updates) => addAlongAxis(ids as Tensor<Shape, "i32">, updates!, size, axis),
      smooth: true,
    };
  },
};
