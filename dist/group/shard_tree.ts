/**
 * The fixed tree in which virtual shards are summed: shards 2i and 2i + 1 first, then pairs of pairs, and so on, and what is left
 * over of a number that is no power of two from the right. Who holds which shards does not show in the sum.
 *
 * @module
 */

/** A whole subtree: `size`, a power of two, shards from a multiple of `size` on. */
export interface ShardNode {
  /** The first shard. */
  readonly from: number;
  /** Shards. */
  readonly size: number;
}

/**
 * The fewest subtrees that shards from one number up to another are.
 *
 * @example
 * ```ts
 * import { nodesOf } from "./shard_tree.ts";
 * console.log(nodesOf(3, 8)); // [{ from: 3, size: 1 }, { from: 4, size: 4 }]
 * ```
 */
export function nodesOf(from: number, to: number): readonly ShardNode[] {
  const nodes: ShardNode[] = [];
  for (let at = from; at < to;) {
    let size = 1;
    while (at % (2 * size) === 0 && at + 2 * size <= to) size *= 2;
    nodes.push({ from: at, size });
    at += size;
  }
  return nodes;
}

/** Sums subtrees that come from left to right. */
export interface ShardSum<T> {
  add(node: ShardNode, value: T): void;
  /** The sums of whole subtrees so far, from left to right: those of `nodesOf`, if what was added follows one another. */
  sums(): readonly T[];
  /** The sum of all; there must be one at least. */
  total(): T;
}

/** Nothing added yet. `plus` may destroy what it is given. */
export function createShardSum<T>(plus: (left: T, right: T) => T): ShardSum<T> {
  const stack: (ShardNode & { readonly value: T })[] = [];
  function merge(): void {
    const right = stack.pop()!, left = stack.pop()!;
    stack.push({
      from: left.from,
      size: left.size + right.size,
      value: plus(left.value, right.value),
    });
  }
  return {
    add(node, value) {
      stack.push({ ...node, value });
      for (;;) {
        const right = stack.at(-1)!, left = stack.at(-2);
        if (left?.size !== right.size || left.from % (2 * left.size) !== 0) return;
        merge();
      }
    },
    sums: () => stack.map(({ value }) => value),
    total() {
      while (stack.length > 1) merge();
      return stack.pop()!.value;
    },
  };
}
