/** Parts of a tensor that are views: they take no memory. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { flip as flipNode, slice as sliceNode, sliceAxis } from "../graph/build.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  type Gather,
  type Ok,
  type OverAxis,
  type Shape,
  type Slice,
  sliceShape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { drawAxis, movement } from "./movement.ts";

/**
 * Elements start..end of one axis, end left out.
 *
 * Shapes: [..., N, ...] -> [..., end - start, ...].
 *
 * @throws {TypeError} if there is no such axis, or start..end is not inside it.
 *
 * @example
 * ```ts
 * import { read, slice, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals([...await read(slice(x, 1, 1, 3))], [2, 3, 5, 6]);
 * ```
 */
export function slice<
  S extends Shape,
  D extends DType,
  const A extends number,
  const F extends number,
  const T extends number,
>(
  x: Tensor<S, D>,
  axis: Arg<Slice<S, A, F, T>, A>,
  start: F,
  end: T,
): Tensor<Ok<Slice<S, A, F, T>>, D> {
  const n = nodeOf(x), at = unwrap(axisIndex("slice", n.shape, axis as number));
  unwrap(sliceShape(n.shape, at, start, end));
  return wrap(settle(sliceAxis(n, at, start, end)));
}

export const sliceLaw = movement("slice", (d) => {
  const shape = d.shape(1, 4), axis = drawAxis(d, shape), size = shape.at(axis)!;
  const start = d.int(0, size), end = d.int(start, size);
  return { shapes: [shape], call: (x) => slice(x!, axis, start, end) };
});

/**
 * Every `step`-th element of one axis, from the first on.
 *
 * Shapes: [..., N, ...] -> [..., ⌈N / step⌉, ...]; the axis becomes a run-time size.
 *
 * @throws {TypeError} if there is no such axis.
 * @throws {RangeError} if the step is not a whole number above 0.
 *
 * @example
 * ```ts
 * import { everyNth, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(everyNth(tensor([0, 1, 2, 3, 4]), 2, 0))], [0, 2, 4]);
 * ```
 */
export function everyNth<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  step: number,
  axis: Arg<OverAxis<"everyNth", S, A>, A>,
): Tensor<Ok<Gather<"everyNth", S, [number], A>>, D> {
  const n = nodeOf(x), at = unwrap(axisIndex("everyNth", n.shape, axis as number));
  if (!(Number.isInteger(step) && step > 0)) {
    throw new RangeError(`Cannot take every ${step}th element: the step must be whole and above 0`);
  }
  const sizes = n.shape.with(at, Math.ceil(n.shape[at]! / step));
  return wrap(
    settle(sliceNode(n, n.shape.map(() => 0), sizes, n.shape.map(() => 1).with(at, step))),
  );
}

export const everyNthLaw = movement("everyNth", (d) => {
  const shape = d.shape(1, 4), axis = drawAxis(d, shape), step = d.int(1, 3);
  return { shapes: [shape], call: (x) => everyNth(x!, step, axis) };
});

/**
 * The elements of one axis in the opposite order.
 *
 * Shapes: [...S] -> [...S].
 *
 * @throws {TypeError} if there is no such axis.
 *
 * @example
 * ```ts
 * import { flip, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(flip(tensor([[1, 2], [3, 4]]), 1))], [2, 1, 4, 3]);
 * ```
 */
export function flip<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"flip", S, A>, A>,
): Tensor<S, D> {
  const n = nodeOf(x), at = unwrap(axisIndex("flip", n.shape, axis as number));
  return wrap(settle(flipNode(n, at)));
}

export const flipLaw = movement("flip", (d) => {
  const shape = d.shape(1, 4), axis = drawAxis(d, shape);
  return { shapes: [shape], call: (x) => flip(x!, axis) };
});
