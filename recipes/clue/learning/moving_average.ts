/**
 * A moving average of the weights over the steps:
 *
 *     s_n = d s_{n-1} + (1 - d) w_n, s_0 = 0        w̄_n = s_n / (1 - d^n)
 *
 * Source: Polyak and Juditsky 1992 for averaging; the correction of the start is that of Adam's moments, Kingma and Ba 2015, section 3.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  mapTree,
  mul,
  sizesOf,
  type Tensor,
  type Tree,
  zeros,
  zipTrees,
} from "../../../core/mod.ts";

/** s_0. */
export function noSums<M>(model: M): M {
  return mapTree(model as Tree<AnyTensor>, (w) => zeros([...sizesOf(w)]) as AnyTensor) as M;
}

/** s_n from s_{n-1} and w_n. */
export function movedSums<M>(sums: M, model: M, decay: number): M {
  const trees = [sums, model] as readonly Tree<AnyTensor>[];
  const moved = zipTrees(trees, ([s, w]) => add(mul(s!, decay), mul(w!, 1 - decay)) as AnyTensor);
  return moved as M;
}

/** w̄_n; `factor` is 1 / (1 - d^n). */
export function averageOf<M>(sums: M, factor: Tensor<[]>): M {
  return mapTree(sums as Tree<AnyTensor>, (s) => mul(s, factor) as AnyTensor) as M;
}
