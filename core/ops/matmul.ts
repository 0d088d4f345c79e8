/** Batched matrix products. */
import type { Float } from "../dtype.ts";
import { settle } from "../execute.ts";
import { broadcastTo, matmul as matmulNode, reshape } from "../graph/build.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import {
  type Arg,
  type Matmul,
  matmulShape,
  type Ok,
  oneDType,
  type Shape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { expectFloats } from "./expect.ts";
import type { Law } from "./law.ts";

/**
 * Matrix product: c[..., m, n] = Σₖ a[..., m, k] · b[..., k, n].
 *
 * Shapes: [...A, M, K], [...B, K, N] -> [...AB, M, N]; the axes before the last two broadcast. A vector has one axis too
 * few: `expandDims` makes it a row or a column. Where K is 0, the result is 0. Sums are kept in f32, and rounded once for
 * f16 and bf16; their order differs between backends.
 *
 * @throws {TypeError} if the inner axes or the dtypes differ, or the axes before do not broadcast.
 *
 * @example
 * ```ts
 * import { matmul, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const c = matmul(tensor([[1, 2], [3, 4]]), tensor([[1], [10]]));
 * assertEquals([...c.shape], [2, 1]);
 * assertEquals([...await read(c)], [21, 43]);
 * ```
 */
export function matmul<A extends Shape, B extends Shape, D extends Float>(
  a: Tensor<A, D>,
  b: Arg<Matmul<A, B>, Tensor<B, NoInfer<D>>>,
): Tensor<Ok<Matmul<A, B>>, D> {
  const [left, right] = [nodeOf(a), nodeOf(b as AnyTensor)];
  const shape = unwrap(matmulShape(left.shape, right.shape));
  unwrap(oneDType("matmul", [left.dtype, right.dtype]));
  expectFloats("matmul", left);
  return wrap(settle(batched(left, right, shape)));
}

/** The product of any two factors whose shapes fit. By one matrix, all rows of all batches are one factor. */
function batched(a: Node, b: Node, shape: readonly number[]): Node {
  if (b.shape.length === 2) {
    const k = a.shape.at(-1)!, rows = sizeOf(a.shape.slice(0, -1));
    return reshape(matmulNode(reshape(a, [rows, k]), b), shape);
  }
  const lead = shape.slice(0, -2);
  const [x, y] = [a, b].map((n) => broadcastTo(n, [...lead, ...n.shape.slice(-2)]));
  return matmulNode(x!, y!);
}

export const matmulLaw: Law = {
  law: "matmul",
  draw: (d) => {
    const dtype = d.oneOf(["f32", "f32", "f32", "f16", "bf16"] as const), lead = d.shape(0, 2);
    const [m, k, n] = [d.int(0, 9), d.int(0, 9), d.int(0, 9)];
    const own = (): number[] =>
      lead.slice(d.int(0, 2) ? 0 : lead.length).map((s) => d.int(0, 3) ? s : 1);
    const of = (shape: number[]) => ({ shape, dtype, domain: [-3, 3] as const, special: false });
    return {
      inputs: [of([...own(), m, k]), of([...own(), k, n])],
      call: (a, b) => matmul(a!, b!),
      smooth: true,
      ...dtype === "f32" ? {} : { tolerance: dtype === "f16" ? 1e-3 : 1e-2 },
    };
  },
};
