/**
 * A group of one, for which no network is needed: what is computed by many can be computed by one process in the same way.
 *
 * @module
 */
import type { Group } from "../group/group.ts";
import { chunkOf } from "../group/chunk.ts";
import { createShardSum, nodesOf } from "../group/shard_tree.ts";
import { combines } from "../message/combine.ts";

/** What data parallelism needs of a group. */
export type Collective = Pick<
  Group,
  | "rank"
  | "size"
  | "prefersShared"
  | "allReduce"
  | "allReduceShards"
  | "allGather"
  | "broadcast"
  | "send"
  | "receive"
>;

/** A rank alone. */
export function alone(): Collective {
  const nobody = (to: number) =>
    Promise.reject(new RangeError(`Cannot reach rank ${to}: this one is alone`));
  return {
    rank: 0,
    size: 1,
    allReduce: (array) => Promise.resolve(array),
    allReduceShards(arrays, total, into, { reduction = "sum", folded = false } = {}) {
      const { from, to } = chunkOf(total, 0, 1), combine = combines[reduction];
      const shards = Array.from({ length: to - from }, (_, i) => ({ from: i, size: 1 }));
      const nodes = folded ? nodesOf(from, to) : shards;
      if (total < 1 || arrays.length !== nodes.length) {
        return Promise.reject(
          new RangeError(`Cannot sum ${arrays.length} arrays: ${total} shards are ${nodes.length}`),
        );
      }
      const sum = createShardSum<typeof into>((left, right) => {
        combine(left, left, right);
        return left;
      });
      nodes.forEach((node, i) => sum.add(node, arrays[i]!));
      into.set(sum.total());
      return Promise.resolve(into);
    },
    allGather: (array) => Promise.resolve(array),
    broadcast: (array) => Promise.resolve(array),
    send: (_, to) => nobody(to),
    receive: (_, from) => nobody(from),
  };
}
