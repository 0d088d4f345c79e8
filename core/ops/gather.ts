/** Rows picked by ids. */
import type { DType, Float, Int } from "../dtype.ts";
import { settle } from "../execute.ts";
import { cast, gather as gatherNode, moveAxis, permute } from "../graph/build.ts";
import { type Node, show } from "../graph/node.ts";
import { axisIndex } from "../shape/axis.ts";
import {
  type Arg,
  type Dim,
  type Gather,
  gatherShape,
  type Ok,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectIds } from "./expect.ts";
import { integers, type Law } from "./law.ts";
import { drawAxis, movement } from "./movement.ts";

/** Entries of axis `axis` of x at ids. */
export function gathered(x: Node, ids: Node, axis: number): Node {
  const rows = gatherNode(moveAxis(x, axis, 0), cast(ids, "i32")), n = ids.shape.length;
  // [...ids, ...before, ...after] to [...before, ...ids, ...after]
  const [picked, others] = [[...Array(n).keys()], [...Array(rows.shape.length).keys()].slice(n)];
  return permute(rows, others.toSpliced(axis, 0, ...picked));
}

/**
 * The entries of an axis at ids, which may be of any shape.
 *
 * Shapes: x [...L, N, ...R], ids [...I] -> [...L, ...I, ...R]. An id outside 0..N-1 reads 0 and gives no gradient; it does
 * not count from the end. The gradient of an entry is the sum over the ids that name it.
 *
 * @throws {TypeError} if x has no such axis.
 *
 * @example
 * ```ts
 * import { gather, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals([...await read(gather(x, tensor([2, 0, 7], "i32"), 1))], [3, 1, 0, 6, 4, 0]);
 * ```
 */
export function gather<
  S extends Shape,
  D extends DType,
  I extends Shape,
  E extends Int,
  const A extends number,
>(
  x: Tensor<S, D>,
  ids: Tensor<I, E>,
  axis: Arg<Gather<"gather", S, I, A>, A>,
): Tensor<Ok<Gather<"gather", S, I, A>>, D> {
  const [n, i] = [nodeOf(x), nodeOf(ids)];
  unwrap(gatherShape("gather", n.shape, i.shape, axis as number));
  expectIds("gather at", i);
  return wrap(settle(gathered(n, i, unwrap(axisIndex("gather", n.shape, axis as number)))));
}

/** The law of picking by ids, some of them outside: x as a movement draws it, and ids of a shape. */
export function picking(
  law: string,
  idsOf: Parameters<typeof movement>[1],
): Law {
  const moved = movement(law, idsOf);
  return {
    law,
    draw: (d) => {
      const { inputs: [x, ids], ...trial } = moved.draw(d), size = Math.max(1, ...x!.shape);
      return { ...trial, inputs: [x!, integers(ids!.shape, [-1, size])] };
    },
  };
}

export const gatherLaw: Law = picking("gather", (d) => {
  const shape = d.shape(1, 3), axis = drawAxis(d, shape);
  return {
    shapes: [shape, d.shape(0, 2)],
    call: (x, ids) => gather(x!, ids as Tensor<Shape, Int>, axis),
  };
});

/**
 * Rows of a table at ids: `gather` over the first axis.
 *
 * Shapes: table [V, C], ids [...I] -> [...I, C]. An id outside 0..V-1 reads a row of 0.
 *
 * @throws {TypeError} if the table has not 2 axes.
 *
 * @example
 * ```ts
 * import { embedding, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const table = tensor([[1, 2], [3, 4]]);
 * assertEquals([...await read(embedding(table, tensor([1, 1, 0], "i32")))], [3, 4, 3, 4, 1, 2]);
 * ```
 */
export function embedding<
  V extends Dim,
  C extends Dim,
  D extends Float,
  I extends Shape,
  E extends Int,
>(table: Tensor<[V, C], D>, ids: Tensor<I, E>): Tensor<[...I, C], D> {
  const [n, i] = [nodeOf(table), nodeOf(ids)];
  if (n.shape.length !== 2) {
    throw new TypeError(`Cannot embed with a table ${show(n.shape)}: it must have 2 axes`);
  }
  expectIds("embed", i);
  return wrap(settle(gathered(n, i, 0)));
}

export const embeddingLaw: Law = picking("embedding", (d) => ({
  shapes: [d.shape(2, 2), d.shape(0, 3)],
  call: (x, ids) => embedding(x!, ids as Tensor<Shape, Int>),
}));
