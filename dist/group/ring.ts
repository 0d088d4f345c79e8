/**
 * Large arrays, round a ring: every rank sends to the next one and hears from the last one, so each link carries 2 (n - 1) / n of the
 * array's bytes in an all-reduce, whatever n. What has come is passed on segment by segment.
 *
 * Step s of n - 1 sums up: rank r sends chunk r - s - 1 and adds what it hears to chunk r - s - 2, so that chunk r is complete with
 * rank r at the end. n - 1 steps more go on in the same way with complete chunks.
 *
 * @module
 */
import { bytesOf, part, roomLike, type WireArray } from "../message/array.ts";
import type { Combine } from "../message/combine.ts";
import { chunkOf, SEGMENT, segmentsOf, type Span } from "./chunk.ts";
import { createProgress, type Operation, type Progress, together } from "./operation.ts";

/** Sums chunk by chunk; rank r's chunk is complete then, the others hold parts of sums. */
export function ringReduceScatter(
  op: Operation,
  array: WireArray,
  combine: Combine,
  abort: (error: unknown) => void,
): Promise<void> {
  return ring(op, array, { first: 0, last: op.size - 1, combine }, abort);
}

/** Gives everybody every chunk, where rank r has chunk r. `ready` says how many segments of it may be sent. */
export function ringAllGather(
  op: Operation,
  array: WireArray,
  abort: (error: unknown) => void,
  ready?: Progress,
): Promise<void> {
  return ring(op, array, { first: op.size - 1, last: 2 * op.size - 2, ready }, abort);
}

/** Both, one after the other but for each segment on its own. */
export function ringAllReduce(
  op: Operation,
  array: WireArray,
  combine: Combine,
  abort: (error: unknown) => void,
): Promise<void> {
  return ring(op, array, { first: 0, last: 2 * op.size - 2, combine }, abort);
}

interface Steps {
  readonly first: number;
  readonly last: number;
  readonly combine?: Combine;
  readonly ready?: Progress | undefined;
}

async function ring(
  op: Operation,
  array: WireArray,
  { first, last, combine, ready }: Steps,
  abort: (error: unknown) => void,
): Promise<void> {
  const { rank, size } = op, width = array.BYTES_PER_ELEMENT;
  if (size === 1) return;
  const next = op.to((rank + 1) % size, ready ? "result" : "main");
  const previous = op.from((rank + size - 1) % size, ready ? "result" : "main");
  const segments = (chunk: number): readonly Span[] =>
    segmentsOf(chunkOf(array.length, (chunk + 2 * size) % size, size), width);
  const received = createProgress();

  async function send(): Promise<void> {
    // What is sent in a step came in the step before: the same segments in the same order.
    let before = 0;
    for (let s = first; s < last; s++) {
      for (const [i, { from, to }] of segments(rank - s - 1).entries()) {
        if (s > first) await received.reach(++before);
        else await ready?.reach(i + 1);
        await next.send(bytesOf(part(array, from, to)));
      }
    }
  }
  async function receive(): Promise<void> {
    const room = combine && roomLike(array, SEGMENT / width);
    for (let s = first; s < last; s++) {
      for (const { from, to } of segments(rank - s - 2)) {
        const mine = part(array, from, to);
        if (room && s < size - 1) {
          const theirs = part(room, 0, to - from);
          await previous.receive(bytesOf(theirs));
          combine(mine, theirs, mine);
        } else await previous.receive(bytesOf(mine));
        received.add();
      }
    }
  }
  await together([send(), receive()], (error) => {
    abort(error);
    received.fail(error);
  });
}
