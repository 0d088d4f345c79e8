/** One id an element. */
import type { DType, Int } from "../dtype.ts";
import { settle } from "../execute.ts";
import { cast, gather, moveAxis } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  type Ok,
  type Shape,
  type TakeAlong,
  takeAlongShape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectIds } from "./expect.ts";
import { picking } from "./gather.ts";
import { drawAxis } from "./movement.ts";

/** x at ids of its own rank, along an axis. */
export function takenAlong(x: Node, ids: Node, axis: number): Node {
  const last = x.shape.length - 1;
  const picked = gather(moveAxis(x, axis, last), cast(moveAxis(ids, axis, last), "i32"), last);
  return moveAxis(picked, last, axis);
}

/**
 * For every element of ids, the entry of x at that id of the axis and at the element's own place in the other axes.
 *
 * Shapes: x [..., N, ...], ids [..., K, ...] -> [..., K, ...]. An id outside 0..N-1 reads 0 and gives no gradient.
 *
 * @throws {TypeError} if there is no such axis, or x and ids differ in another one.
 *
 * @example
 * ```ts
 * import { read, takeAlongAxis, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = takeAlongAxis(tensor([[1, 2, 3], [4, 5, 6]]), tensor([[2], [0]], "i32"), 1);
 * assertEquals([...await read(y)], [3, 4]);
 * ```
 */
export function takeAlongAxis<
  S extends Shape,
  D extends DType,
  I extends Shape,
  E extends Int,
  const A extends number,
>(
  x: Tensor<S, D>,
  ids: Arg<TakeAlong<S, I, A>, Tensor<I, E>>,
  axis: A,
): Tensor<Ok<TakeAlong<S, I, A>>, D> {
  const [n, i] = [nodeOf(x), nodeOf(ids as AnyTensor)];
  unwrap(takeAlongShape(n.shape, i.shape, axis));
  expectIds("takeAlongAxis at", i);
  return wrap(settle(takenAlong(n, i, unwrap(axisIndex("takeAlongAxis", n.shape, axis)))));
}

export const takeAlongAxisLaw = picking("takeAlongAxis", (d) => {
  const shape = d.shape(1, 3),
    axis = drawAxis(d, shape),
    at = axis < 0 ? axis + shape.length : axis;
  return {
    shapes: [shape, shape.with(at, d.int(0, 4))],
    call: (x, ids) => takeAlongAxis(x!, ids!, axis),
  };
});
