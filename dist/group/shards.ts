/**
 * An all-reduce whose bits do not depend on the number of ranks: the sum over a fixed number of virtual shards in a fixed tree.
 *
 * Every rank sums what subtrees it has whole, sends chunk c of those to rank c, which finishes the tree for that chunk, and the
 * chunks go round the ring. With powers of two everywhere that is the ring's own traffic, else up to about 1.6 times as much.
 *
 * @module
 */
import { bytesOf, part, roomLike, type WireArray } from "../message/array.ts";
import type { Combine } from "../message/combine.ts";
import { chunkOf, segmentsOf, type Span } from "./chunk.ts";
import { createProgress, type Operation, together } from "./operation.ts";
import { ringAllGather } from "./ring.ts";
import { createShardSum, nodesOf, type ShardNode } from "./shard_tree.ts";

/** What is summed: this rank's shards, which are used up, of `total` in the group; or, `folded`, the sums of its subtrees. */
export interface Shards {
  readonly arrays: readonly WireArray[];
  readonly total: number;
  readonly folded?: boolean;
}

/** Sums of whole subtrees. */
export interface ShardSums {
  /** The subtrees that each rank has, from left to right. */
  readonly nodes: readonly (readonly ShardNode[])[];
  /** This rank's sums of them, used up. */
  readonly mine: readonly WireArray[];
}

/** Sums this rank's shards by whole subtrees. */
export function foldShards(
  { rank, size }: Pick<Operation, "rank" | "size">,
  { arrays, total, folded = false }: Shards,
  combine: Combine,
): ShardSums {
  const shardsOf = (rank: number): Span => chunkOf(total, rank, size);
  const nodes = Array.from({ length: size }, (_, r) => nodesOf(shardsOf(r).from, shardsOf(r).to));
  const mine = folded
    ? arrays
    : nodes[rank]!.map((node) => subtree(node, arrays, shardsOf(rank).from, combine));
  return { nodes, mine };
}

/** The sum of all ranks' shards goes into `into`. */
export async function treeAllReduce(
  op: Operation,
  { nodes, mine }: ShardSums,
  into: WireArray,
  combine: Combine,
  abort: (error: unknown) => void,
): Promise<void> {
  const { rank, size } = op, width = into.BYTES_PER_ELEMENT;
  const segments = (chunk: number): readonly Span[] =>
    segmentsOf(chunkOf(into.length, chunk, size), width);
  const reduced = createProgress();

  async function send(other: number): Promise<void> {
    const sender = op.to(other);
    for (const { from, to } of segments(other)) {
      for (const array of mine) await sender.send(bytesOf(part(array, from, to)));
    }
  }
  async function reduce(): Promise<void> {
    const receivers = nodes.map((_, r) => r === rank ? undefined : op.from(r));
    const free: WireArray[] = [];
    for (const { from, to } of segments(rank)) {
      const borrowed = new Set<WireArray>();
      const sum = createShardSum<WireArray>((left, right) => {
        combine(left, left, right);
        if (borrowed.delete(right)) free.push(right);
        return left;
      });
      for (const [r, receiver] of receivers.entries()) {
        for (const [i, node] of nodes[r]!.entries()) {
          if (!receiver) {
            sum.add(node, part(mine[i]!, from, to));
            continue;
          }
          // Segments but for the last are equally long.
          const found = free.pop(),
            room = found?.length === to - from ? found : roomLike(into, to - from);
          borrowed.add(room);
          await receiver.receive(bytesOf(room));
          sum.add(node, room);
        }
      }
      const whole = sum.total();
      part(into, from, to).set(whole);
      if (borrowed.delete(whole)) free.push(whole);
      reduced.add();
    }
  }
  const others = nodes.flatMap((_, r) => r === rank || mine.length === 0 ? [] : [send(r)]);
  await together([...others, reduce(), ringAllGather(op, into, abort, reduced)], (error) => {
    abort(error);
    reduced.fail(error);
  });
}

/** Sums the shards of one subtree, in place of its first. `first` is the number of the first array. */
function subtree(
  { from, size }: ShardNode,
  arrays: readonly WireArray[],
  first: number,
  combine: Combine,
): WireArray {
  for (let far = 1; far < size; far *= 2) {
    for (let at = from; at < from + size; at += 2 * far) {
      const left = arrays[at - first]!;
      combine(left, left, arrays[at + far - first]!);
    }
  }
  return arrays[from - first]!;
}
