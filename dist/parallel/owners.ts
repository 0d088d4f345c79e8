/**
 * ZeRO-1: every leaf of the parameters has one rank that keeps what its optimiser remembers of it, moves it, and gives it to the others.
 *
 * Leaves are whole: norms of single leaves, as LAMB takes them, need nobody else. The gradient's own norm is the same on all ranks, which
 * have its sum.
 *
 * Source: Rajbhandari et al. 2020, arXiv 1910.02054, which cuts leaves.
 *
 * @module
 */
import type { Collective } from "./alone.ts";

/**
 * The rank that owns each of the leaves of these lengths: the longest ones first, each goes to who has least.
 *
 * @example
 * ```ts
 * import { ownersOf } from "./owners.ts";
 * console.log(ownersOf([5, 100, 30, 60], 2)); // [ 1, 0, 1, 1 ]
 * ```
 */
export function ownersOf(lengths: readonly number[], size: number): readonly number[] {
  const loads = new Float64Array(size), owners = new Array<number>(lengths.length);
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (const leaf of order) {
    const rank = loads.indexOf(loads.reduce((least, load) => Math.min(least, load)));
    owners[leaf] = rank;
    loads[rank]! += lengths[leaf]!;
  }
  return owners;
}

/**
 * Gives everybody every leaf, where each owner has its own: of the others' leaves `own` says nothing, and they are new arrays.
 *
 * @throws DistError
 */
export async function shareLeaves(
  group: Collective,
  owners: readonly number[],
  lengths: readonly number[],
  own: (leaf: number) => Float32Array | undefined,
): Promise<readonly Float32Array[]> {
  const all = new Array<Float32Array>(lengths.length);
  for (let rank = 0; rank < group.size; rank++) {
    const leaves = [...owners.keys()].filter((leaf) => owners[leaf] === rank);
    const whole = new Float32Array(leaves.reduce((sum, leaf) => sum + lengths[leaf]!, 0));
    let at = 0;
    for (const leaf of leaves) {
      const part = whole.subarray(at, at += lengths[leaf]!), mine = own(leaf);
      if (rank === group.rank) part.set(mine!);
      all[leaf] = part;
    }
    await group.broadcast(whole, rank);
  }
  return all;
}
