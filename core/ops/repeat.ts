/** Elements of an axis several times. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import { expand, reshape } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { axisIndex } from "../shape/axis.ts";
import { type Arg, type Gather, type Ok, type OverAxis, type Shape, unwrap } from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { drawAxis, movement } from "./movement.ts";

/** An axis of `times` put in at `at`, then joined with the axis at `axis` of x. */
function repeated(op: string, x: Node, times: number, axis: number, inside: boolean): Node {
  if (!(Number.isInteger(times) && times >= 0)) {
    throw new RangeError(`Cannot ${op} ${times} times: the number must be whole and not negative`);
  }
  const k = unwrap(axisIndex(op, x.shape, axis)), at = inside ? k + 1 : k;
  const open = reshape(x, x.shape.toSpliced(at, 0, 1));
  return reshape(expand(open, open.shape.with(at, times)), x.shape.with(k, x.shape[k]! * times));
}

/**
 * A tensor `times` times along an axis, one copy after the other.
 *
 * Shapes: [..., N, ...] -> [..., times · N, ...]; the axis becomes a run-time size.
 *
 * @throws {TypeError} if there is no such axis.
 * @throws {RangeError} if `times` is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { read, tensor, tile } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(tile(tensor([1, 2]), 2, 0))], [1, 2, 1, 2]);
 * ```
 */
export function tile<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  times: number,
  axis: Arg<OverAxis<"tile", S, A>, A>,
): Tensor<Ok<Gather<"tile", S, [number], A>>, D> {
  return wrap(settle(repeated("tile", nodeOf(x), times, axis as number, false)));
}

export const tileLaw = movement("tile", (d) => {
  const shape = d.shape(1, 3), axis = drawAxis(d, shape), times = d.int(0, 3);
  return { shapes: [shape], call: (x) => tile(x!, times, axis) };
});

/**
 * Every element of an axis `times` times in a row.
 *
 * Shapes: [..., N, ...] -> [..., N · times, ...]; the axis becomes a run-time size.
 *
 * @throws {TypeError} if there is no such axis.
 * @throws {RangeError} if `times` is not a whole number of at least 0.
 *
 * @example
 * ```ts
 * import { read, repeat, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(repeat(tensor([1, 2]), 2, 0))], [1, 1, 2, 2]);
 * ```
 */
export function repeat<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  times: number,
  axis: Arg<OverAxis<"repeat", S, A>, A>,
): Tensor<Ok<Gather<"repeat", S, [number], A>>, D> {
  return wrap(settle(repeated("repeat", nodeOf(x), times, axis as number, true)));
}

export const repeatLaw = movement("repeat", (d) => {
  const shape = d.shape(1, 3), axis = drawAxis(d, shape), times = d.int(0, 3);
  return { shapes: [shape], call: (x) => repeat(x!, times, axis) };
});
