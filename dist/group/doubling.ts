/**
 * Small arrays, in log2 n rounds: in each one a rank exchanges all that it has with one twice as far away as the last.
 *
 * Where n is no power of two, the ranks above one give their arrays to a lower one first, and get the result at the end.
 *
 * @module
 */
import { bytesOf, roomLike, type WireArray } from "../message/array.ts";
import type { Combine } from "../message/combine.ts";
import { type Operation, together } from "./operation.ts";

/** Bytes up to which this is faster than a ring of any size. */
export const SMALL = 64 << 10;

/**
 * Everybody gets the combination of all arrays, the same bits: partners put what they have together in the same order, the lower
 * ranks' first.
 */
export async function doublingAllReduce(
  op: Operation,
  array: WireArray,
  combine: Combine,
  abort: (error: unknown) => void,
): Promise<void> {
  const { rank, size } = op, core = 2 ** Math.floor(Math.log2(size)), extra = size - core;
  const theirs = roomLike(array, array.length), mine = bytesOf(array);
  if (rank >= core) {
    await op.to(rank - core).send(mine);
    return await op.from(rank - core).receive(mine);
  }
  if (rank < extra) {
    await op.from(rank + core).receive(bytesOf(theirs));
    combine(array, array, theirs);
  }
  for (let far = 1; far < core; far *= 2) {
    const partner = rank ^ far;
    await together(
      [op.to(partner).send(mine), op.from(partner).receive(bytesOf(theirs))],
      abort,
    );
    if (partner > rank) combine(array, array, theirs);
    else combine(array, theirs, array);
  }
  if (rank < extra) await op.to(rank + core).send(mine);
}
