/** Triangles of matrices. */
import type { DType } from "../dtype.ts";
import { settle } from "../execute.ts";
import * as X from "../expr/expr.ts";
import type { Expr } from "../expr/expr.ts";
import { compute, constant, coordinate } from "../graph/build.ts";
import type { Node } from "../graph/node.ts";
import { type Arg, type Ok, type OverAxis, overAxis, type Shape, unwrap } from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { movement } from "./movement.ts";

/** The node where keep(row, column) holds, 0 elsewhere. */
function masked(op: string, n: Node, keep: (row: Expr, column: Expr) => Expr): Node {
  unwrap(overAxis(op, n.shape, -2));
  const rank = n.shape.length;
  const [rows, columns] = [coordinate(n.shape, rank - 2), coordinate(n.shape, rank - 1)];
  return compute(
    (i, j, x, zero) => X.select(keep(i, j), x, zero),
    [rows, columns, n, constant(0, n.dtype)],
    n.dtype,
  );
}

/**
 * The lower triangle of matrices, 0 above it: element (i, j) stays where j ≤ i + `diagonal`.
 *
 * Shapes: [..., M, N] -> [..., M, N].
 *
 * @throws {TypeError} if there are fewer than two axes.
 *
 * @example
 * ```ts
 * import { read, tensor, tril } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(tril(tensor([[1, 2], [3, 4]])))], [1, 0, 3, 4]);
 * ```
 */
export function tril<S extends Shape, D extends DType>(
  x: Arg<OverAxis<"tril", S, -2>, Tensor<S, D>>,
  diagonal: number = 0,
): Tensor<Ok<OverAxis<"tril", S, -2>>, D> {
  const keep = (i: Expr, j: Expr): Expr => X.ge(X.add(i, diagonal), j);
  return wrap(settle(masked("tril", nodeOf(x as AnyTensor), keep)));
}

export const trilLaw = movement("tril", (d) => {
  const diagonal = d.int(-2, 2);
  return { shapes: [d.shape(2, 4)], call: (x) => tril(x!, diagonal) };
});

/**
 * The upper triangle of matrices, 0 below it: element (i, j) stays where j ≥ i + `diagonal`.
 *
 * Shapes: [..., M, N] -> [..., M, N].
 *
 * @throws {TypeError} if there are fewer than two axes.
 *
 * @example
 * ```ts
 * import { read, tensor, triu } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(triu(tensor([[1, 2], [3, 4]])))], [1, 2, 0, 4]);
 * ```
 */
export function triu<S extends Shape, D extends DType>(
  x: Arg<OverAxis<"triu", S, -2>, Tensor<S, D>>,
  diagonal: number = 0,
): Tensor<Ok<OverAxis<"triu", S, -2>>, D> {
  const keep = (i: Expr, j: Expr): Expr => X.ge(j, X.add(i, diagonal));
  return wrap(settle(masked("triu", nodeOf(x as AnyTensor), keep)));
}

export const triuLaw = movement("triu", (d) => {
  const diagonal = d.int(-2, 2);
  return { shapes: [d.shape(2, 4)], call: (x) => triu(x!, diagonal) };
});
