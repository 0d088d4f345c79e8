/** The length of a whole tree. */
import * as X from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { add, cast, compute, constant, reduce, reshape } from "../graph/build.ts";
import { type AnyTensor, isTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { leaves, type Tree } from "../tree.ts";
import { floats, type Law } from "./law.ts";

export const globalNormLaw: Law = {
  law: "globalNorm",
  draw: (d) => ({
    inputs: [floats([d.int(1, 5)], [0.5, 3], true), floats(d.shape(0, 3))],
    call: (w, b) => globalNorm({ w: w!, b: [b!] }),
    smooth: true,
  }),
};

/**
 * Euclidean norm of all numbers of a tree's tensors together: √Σ x².
 *
 * Shapes: any -> []. Computed in f32; it overflows to infinity from 1.8e19 on. At 0 its gradient is NaN.
 *
 * @example
 * ```ts
 * import { globalNorm, read, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(globalNorm({ w: tensor([[3]]), b: tensor([4, 0]) }))], [5]);
 * ```
 */
export function globalNorm(tree: Tree<AnyTensor>): Tensor<[]> {
  const squares = leaves<AnyTensor>(tree).filter(isTensor).map((x) => {
    const n = cast(nodeOf(x), "f32");
    return reshape(reduce("sum", compute(X.mul, [n, n]), [...n.shape.keys()]), []);
  });
  return wrap(settle(compute(X.sqrt, [squares.reduce(add, constant(0))])));
}
