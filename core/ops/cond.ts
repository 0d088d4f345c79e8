/** Choice between trees of tensors. */
import { settle } from "../execute.ts";
import * as X from "../expr/expr.ts";
import { compute } from "../graph/build.ts";
import { sameShape, show } from "../graph/node.ts";
import { type AnyTensor, isTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { mapTree, paths, type Tree } from "../tree.ts";
import { expectScalar } from "./expect.ts";
import type { Law } from "./law.ts";

/**
 * `a` if the predicate holds, else `b`: trees of tensors of one structure.
 *
 * Both are computed; the other one's values never matter, NaN included, and its gradient is 0 (but 0 times an infinite
 * derivative of what came before is NaN).
 *
 * @throws {TypeError} if the trees differ in structure, shapes or dtypes.
 *
 * @example
 * ```ts
 * import { cond, greater, read, sum, tensor } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const x = tensor([1, 2]);
 * const y = cond(greater(sum(x), 0), { x }, { x: tensor([0, 0]) });
 * assertEquals([...await read(y.x)], [1, 2]);
 * ```
 */
export function cond<T>(predicate: Tensor<[], "bool">, a: T, b: NoInfer<T>): T {
  const p = nodeOf(predicate), yes = paths(a as Tree<unknown>), no = paths(b as Tree<unknown>);
  expectScalar("choose by", p, "bool");
  if (yes.map(([path]) => path).join() !== no.map(([path]) => path).join()) {
    throw new TypeError("Cannot choose between trees of different structure: paths must be equal");
  }
  const chosen = yes.flatMap(([path, x], i) => {
    const y = no[i]![1];
    if (!isTensor(x) || !isTensor(y)) {
      if (x === y) return [];
      throw new TypeError(`Cannot choose at '${path}': what is no tensor must be the same`);
    }
    const [m, n] = [nodeOf(x), nodeOf(y)];
    if (m.dtype !== n.dtype || !sameShape(m.shape, n.shape)) {
      throw new TypeError(
        `Cannot choose between ${m.dtype} ${show(m.shape)} and ${n.dtype} ${show(n.shape)} at ` +
          `'${path}': shapes and dtypes must be equal`,
      );
    }
    return [compute(X.select, [p, m, n], m.dtype)];
  });
  const results = chosen.map(settle).values();
  return mapTree(a as Tree<unknown>, (x) => isTensor(x) ? wrap(results.next().value!) : x) as T;
}

export const condLaw: Law = {
  law: "cond",
  draw: (d) => {
    const shapes = [d.shape(0, 2), d.shape(0, 3)];
    const of = (shape: number[]) =>
      ({ shape, dtype: "f32", domain: [-3, 3], special: true }) as const;
    return {
      inputs: [
        { shape: [], dtype: "bool", domain: [0, 1], special: false },
        ...[...shapes, ...shapes].map(of),
      ],
      call: (p, ...xs) => {
        const [a, b, c, e] = xs as [AnyTensor, AnyTensor, AnyTensor, AnyTensor];
        return cond(p!, { x: a, y: [b] }, { x: c, y: [e] });
      },
      smooth: true,
      exact: true,
    };
  },
};
