/** Axes grown at their ends. */
import { type DType, isFloat } from "../dtype.ts";
import { settle } from "../execute.ts";
import { place } from "../graph/build.ts";
import {
  type Arg,
  freshShape,
  type Ok,
  type Pad,
  padShape,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { movement } from "./movement.ts";

/**
 * Axes grown at both ends by a value: one pair [before, after] an axis.
 *
 * Shapes: [..., N, ...] -> [..., before + N + after, ...].
 *
 * @throws {TypeError} if there is not one pair an axis, a width is negative, or the value is not whole among integers.
 *
 * @example
 * ```ts
 * import { pad, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(pad(tensor([1, 2]), [[1, 2]], 9))], [9, 1, 2, 9, 9]);
 * ```
 */
export function pad<
  S extends Shape,
  D extends DType,
  const P extends readonly (readonly [number, number])[],
>(x: Tensor<S, D>, widths: Arg<Pad<S, P>, P>, value: number = 0): Tensor<Ok<Pad<S, P>>, D> {
  const n = nodeOf(x), pairs = widths as readonly (readonly [number, number])[];
  const shape = unwrap(freshShape(unwrap(padShape(n.shape, pairs))));
  if (!isFloat(n.dtype) && !Number.isInteger(value)) {
    throw new TypeError(`Cannot pad ${n.dtype} with ${value}: the value must be whole`);
  }
  if (pairs.flat().every((w) => w === 0)) return wrap(n);
  const placement = { starts: pairs.map(([before]) => before), steps: pairs.map(() => 1) };
  return wrap(settle(place(shape, [n], [placement], value)));
}

export const padLaw = movement("pad", (d) => {
  const shape = d.shape(0, 4), value = d.int(0, 1);
  const widths = shape.map((): [number, number] => [d.int(0, 2), d.int(0, 2)]);
  return { shapes: [shape], call: (x) => pad(x!, widths, value) };
});
