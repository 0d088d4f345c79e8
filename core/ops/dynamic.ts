/** Parts of an axis from a start that is known only on the device. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import * as X from "../expr/expr.ts";
import { compute, coordinate, iota } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  type Ok,
  oneDType,
  type Resize,
  resizeShape,
  type Shape,
  type TakeAlong,
  takeAlongShape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectScalar } from "./expect.ts";
import { gathered } from "./gather.ts";
import type { Drawn, Law } from "./law.ts";
import { drawAxis, movement } from "./movement.ts";

/** `start` brought into 0..room. */
const clamped = (start: Node, room: number): Node =>
  compute((s) => X.max(X.min(s, room), 0), [start]);

/**
 * `size` entries of an axis from a start that is known only on the device.
 *
 * Shapes: [..., N, ...] -> [..., size, ...]. The start is brought into 0..N-size first, so that the part is always inside.
 *
 * @throws {TypeError} if there is no such axis, or it has fewer than `size` entries.
 *
 * @example
 * ```ts
 * import { dynamicSlice, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, 2, 3, 4, 5]);
 * assertEquals([...await read(dynamicSlice(x, tensor(1, "i32"), 2, 0))], [2, 3]);
 * assertEquals([...await read(dynamicSlice(x, tensor(9, "i32"), 2, 0))], [4, 5]);
 * ```
 */
export function dynamicSlice<
  S extends Shape,
  D extends DType,
  const A extends number,
  const N extends number,
>(
  x: Tensor<S, D>,
  start: Tensor<[], "i32">,
  size: Arg<Resize<"dynamicSlice", S, A, N>, N>,
  axis: A,
): Tensor<Ok<Resize<"dynamicSlice", S, A, N>>, D> {
  const n = nodeOf(x), count = size as number, from = nodeOf(start);
  unwrap(resizeShape("dynamicSlice", n.shape, axis, count));
  expectScalar("dynamicSlice from", from, "i32");
  const at = unwrap(axisIndex("dynamicSlice", n.shape, axis));
  const ids = compute(X.add, [clamped(from, n.shape[at]! - count), iota(count)]);
  return wrap(settle(gathered(n, ids, at)));
}

const start: Drawn = { shape: [], dtype: "i32", domain: [-2, 5], special: true };

/** A movement with a start as one more input. */
const started = (law: string, draw: Parameters<typeof movement>[1]): Law => {
  const moved = movement(law, draw);
  return {
    law,
    draw: (d) => {
      const trial = moved.draw(d);
      return { ...trial, inputs: [...trial.inputs, start] };
    },
  };
};

export const dynamicSliceLaw: Law = started("dynamicSlice", (d) => {
  const shape = d.shape(1, 3), axis = drawAxis(d, shape), size = d.int(0, shape.at(axis)!);
  return { shapes: [shape], call: (x, s) => dynamicSlice(x!, s!, size, axis) };
});

/**
 * x with the entries of an axis from a start on replaced by a part.
 *
 * Shapes: x [..., N, ...], part [..., K, ...] -> [..., N, ...]. The start is brought into 0..N-K first.
 *
 * @throws {TypeError} if there is no such axis, if the part is longer than it, another axis differs, or the dtypes do.
 *
 * @example
 * ```ts
 * import { dynamicUpdate, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const y = dynamicUpdate(tensor([1, 2, 3, 4]), tensor(1, "i32"), tensor([8, 9]), 0);
 * assertEquals([...await read(y)], [1, 8, 9, 4]);
 * ```
 */
export function dynamicUpdate<
  S extends Shape,
  D extends DType,
  P extends Shape,
  const A extends number,
>(
  x: Tensor<S, D>,
  start: Tensor<[], "i32">,
  part: Arg<TakeAlong<S, P, A>, Tensor<P, NoInfer<D>>>,
  axis: A,
): Tensor<S, D> {
  const n = nodeOf(x), p = nodeOf(part as AnyTensor), from = nodeOf(start);
  unwrap(oneDType("dynamicUpdate", [n.dtype, p.dtype]));
  unwrap(takeAlongShape(n.shape, p.shape, axis));
  expectScalar("dynamicUpdate from", from, "i32");
  const at = unwrap(axisIndex("dynamicUpdate", n.shape, axis)), count = p.shape[at]!;
  unwrap(resizeShape("dynamicUpdate", n.shape, axis, count));
  const low = clamped(from, n.shape[at]! - count);
  const moved = gathered(p, compute(X.sub, [iota(n.shape[at]!), low]), at);
  const inside = compute(
    (k, s) => X.and(X.ge(k, s), X.gt(X.add(s, count), k)),
    [coordinate(n.shape, at), low],
  );
  return wrap(settle(compute(X.select, [inside, moved, n], n.dtype)));
}

export const dynamicUpdateLaw: Law = started("dynamicUpdate", (d) => {
  const shape = d.shape(1, 3),
    axis = drawAxis(d, shape),
    at = axis < 0 ? axis + shape.length : axis;
  return {
    shapes: [shape, shape.with(at, d.int(0, shape[at]!))],
    call: (x, part, s) => dynamicUpdate(x!, s!, part!, axis),
  };
});
