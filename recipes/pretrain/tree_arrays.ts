/**
 * Trees of tensors as the arrays of their leaves, in their order, and back.
 *
 * @module
 */
import {
  type AnyTensor,
  fromArray,
  leaves,
  mapTree,
  read,
  sizesOf,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import type { WireArray } from "../../dist/mod.ts";

type Contents = Awaited<ReturnType<typeof read>>;

/** The leaves of a tree. */
export const tensorsOf = (tree: unknown): AnyTensor[] => leaves(tree as Tree<AnyTensor>);

/** The contents of a tree's leaves, each as soon as its device has it. */
export const readsOf = (tree: unknown): Promise<Contents>[] =>
  tensorsOf(tree).map((x) => read(x as Tensor));

/** The contents of a tree's leaves. */
export const arraysOf = (tree: unknown): Promise<Contents[]> => Promise.all(readsOf(tree));

/** A tree like another, of these arrays. */
export function treeOf<T>(like: T, arrays: readonly WireArray[]): T {
  const tensors = tensorsOf(like);
  let leaf = 0;
  return mapTree(like as Tree<AnyTensor>, (x) => {
    const i = leaf++;
    return fromArray(arrays[i]!, [...sizesOf(x)], tensors[i]!.dtype) as AnyTensor;
  }) as T;
}

/** The shapes of a tree's leaves. */
export const shapesOf = (tree: unknown): (readonly number[])[] =>
  tensorsOf(tree).map((x) => [...sizesOf(x)]);

/** Elements of tensors of these shapes. */
export const lengthsOf = (shapes: readonly (readonly number[])[]): number[] =>
  shapes.map((shape) => shape.reduce((n, axis) => n * axis, 1));
