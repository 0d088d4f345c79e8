/** The rules of `reduce`. */
import { cells, each, indexer } from "../backends/reference/cells.ts";
import { isFloat } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { compute, expand, mul, reduce } from "../graph/build.ts";
import { identityOf } from "../graph/identity_of.ts";
import { type Combine, type Node, type ReduceNode, sizeOf } from "../graph/node.ts";
import type { Rule } from "./rule.ts";

const combine: { readonly [C in Combine]: (a: number, b: number) => number } = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
  peak: Math.max,
};

/** `other` shared among the elements of the input that equal the extremum; all of it goes to each when they are alone. */
function toExtremum(n: ReduceNode, other: Node): Node {
  const x = n.inputs[0]!;
  const hit = compute((a, b) => X.cast(X.eq(a, b), "f32"), [x, expand(n, x.shape)]);
  const ties = reduce("sum", hit, n.axes);
  const share = compute(X.div, [other, ties], other.dtype);
  return mul(expand(share, x.shape), hit);
}

export const reduceRule: Rule<ReduceNode> = {
  evaluate: (n, [x]) => {
    const size = sizeOf(n.shape),
      sums = new Float64Array(size).fill(identityOf(n.combine, n.dtype));
    const from = n.inputs[0]!.shape, at = indexer(n.shape), f = combine[n.combine];
    each(from, (i, coordinates) => {
      const o = at(coordinates.map((c, axis) => n.axes.includes(axis) ? 0 : c));
      sums[o] = f(sums[o]!, x![i]!);
    });
    const out = cells(n.dtype, size);
    out.set(sums);
    return out;
  },
  vjp: (n, ct) => {
    const x = n.inputs[0]!;
    if (!isFloat(n.dtype)) return null;
    return n.combine === "sum" ? expand(ct, x.shape) : toExtremum(n, ct);
  },
  // The same shares as in the vjp, so that the two are transposes of each other.
  jvp: (n, [t]) => {
    if (n.combine === "sum") return reduce("sum", t!, n.axes);
    const x = n.inputs[0]!;
    if (n.axes.some((a) => x.shape[a] === 0)) return null;
    const hit = compute((a, b) => X.cast(X.eq(a, b), "f32"), [x, expand(n, x.shape)]);
    const total = reduce("sum", mul(t!, hit), n.axes);
    return compute(X.div, [total, reduce("sum", hit, n.axes)], n.dtype);
  },
  batch: (n, [x]) => reduce(n.combine, x!, n.axes.map((a) => a + 1)),
};
