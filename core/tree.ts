/**
 * Parameters are nested readonly records and arrays of tensors: trees. Leaves have stable path names and one fixed
 * flat order (keys sorted, arrays by index), on which checkpoints, optimiser groups and workers agree.
 *
 * @module
 */
import { isTensor } from "./tensor.ts";

/** Nested records and arrays of T. */
export type Tree<T> = T | { readonly [key: string]: Tree<T> } | readonly Tree<T>[];

/** Is this a leaf: a tensor, or anything that is not a record or an array? */
function isLeaf(x: unknown): boolean {
  return typeof x !== "object" || x === null || isTensor(x);
}

const keysOf = (tree: object): string[] =>
  Array.isArray(tree) ? tree.map((_, i) => String(i)) : Object.keys(tree).sort();

/** Leaves with their paths, as in ["layers.0.wq", tensor]. */
export function paths<T>(tree: Tree<T>, prefix = ""): [path: string, leaf: T][] {
  if (isLeaf(tree)) return [[prefix, tree as T]];
  return keysOf(tree as object).flatMap((key) =>
    paths<T>((tree as Record<string, Tree<T>>)[key]!, prefix ? `${prefix}.${key}` : key)
  );
}

/** The leaves in their fixed order. */
export function leaves<T>(tree: Tree<T>): T[] {
  return paths<T>(tree).map(([, leaf]) => leaf);
}

/** The same tree with f(leaf, path) in the place of every leaf, called in the fixed order. */
export function mapTree<T, U>(
  tree: Tree<T>,
  f: (leaf: T, path: string) => U,
  prefix = "",
): Tree<U> {
  if (isLeaf(tree)) return f(tree as T, prefix);
  const entries = keysOf(tree as object).map((key): [string, Tree<U>] => [
    key,
    mapTree((tree as Record<string, Tree<T>>)[key]!, f, prefix ? `${prefix}.${key}` : key),
  ]);
  return Array.isArray(tree) ? entries.map(([, v]) => v) : Object.fromEntries(entries);
}

/** f over the leaves of trees of one structure. */
export function zipTrees<T, U>(
  trees: readonly Tree<T>[],
  f: (leaves: readonly T[], path: string) => U,
): Tree<U> {
  const flat = trees.map((t) => leaves<T>(t));
  const counts = flat.map((l) => l.length);
  if (counts.some((n) => n !== counts[0])) {
    throw new TypeError(
      `Cannot zip trees of ${counts.join(" and ")} leaves: structures must be equal`,
    );
  }
  let i = 0;
  return mapTree(trees[0]!, (_, path) => {
    const at = i++;
    return f(flat.map((l) => l[at]!), path);
  });
}
