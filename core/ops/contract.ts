/**
 * Einstein sums two operands at a time, of nodes whose axes have letters.
 *
 * @module
 */
import * as X from "../expr/expr.ts";
import { cast, compute, matmul, permute, reduce, reshape } from "../graph/build.ts";
import { type Node, sizeOf } from "../graph/node.ts";

/** A node and the letters of its axes. */
export interface Term {
  readonly letters: string;
  readonly node: Node;
}

const common = (a: string, b: string): string => [...a].filter((c) => b.includes(c)).join("");
const without = (a: string, b: string): string => [...a].filter((c) => !b.includes(c)).join("");

/** The sizes of letters that the term has. */
function sizes({ letters, node }: Term, wanted: string): number[] {
  return [...wanted].map((c) => node.shape[letters.indexOf(c)]!);
}

/** The term with its axes in the order of `letters`, 1 where it lacks one. */
export function arranged(t: Term, letters: string): Node {
  const own = common(letters, t.letters);
  const node = permute(t.node, [...own].map((c) => t.letters.indexOf(c)));
  return reshape(node, [...letters].map((c) => t.letters.includes(c) ? sizes(t, c)[0]! : 1));
}

/** The term summed over its letters that are not in `kept`. */
export function summed(t: Term, kept: string): Term {
  const gone = without(t.letters, kept), letters = without(t.letters, gone);
  if (gone === "") return t;
  const node = reduce("sum", t.node, [...gone].map((c) => t.letters.indexOf(c)));
  return { letters, node: reshape(node, sizes(t, letters)) };
}

/** Elements of the product of two terms. */
export function productSize(a: Term, b: Term, kept: string): number {
  const own = common(a.letters, kept), added = without(common(b.letters, kept), own);
  return sizeOf([...sizes(a, own), ...sizes(b, added)]);
}

/** Product of two terms, summed over the letters that are not in `kept`. */
export function contract(left: Term, right: Term, kept: string): Term {
  const a = summed(left, kept + right.letters), b = summed(right, kept + left.letters);
  const shared = common(a.letters, b.letters), batch = common(shared, kept);
  const inner = without(shared, kept);
  const rows = without(a.letters, shared), columns = without(b.letters, shared);
  const letters = batch + rows + columns;
  if (inner === "" || rows + columns === "") return scaled(a, b, letters, inner);
  const flat = (t: Term, first: string, second: string): Node =>
    reshape(arranged(t, batch + first + second), [
      ...sizes(t, batch),
      sizeOf(sizes(t, first)),
      sizeOf(sizes(t, second)),
    ]);
  const product = matmul(flat(a, rows, inner), flat(b, inner, columns));
  const shape = [...sizes(a, batch), ...sizes(a, rows), ...sizes(b, columns)];
  return { letters, node: reshape(product, shape) };
}

/** The product without a matrix in it: by broadcasting, summed in f32. */
function scaled(a: Term, b: Term, letters: string, inner: string): Term {
  const all = letters + inner, dtype = a.node.dtype;
  const product = compute(X.mul, [arranged(a, all), arranged(b, all)], inner ? "f32" : dtype);
  const { node } = summed({ letters: all, node: product }, letters);
  return { letters, node: cast(node, dtype) };
}
