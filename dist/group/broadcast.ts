/**
 * One rank's array for everybody.
 *
 * @module
 */
import { bytesOf, part, type WireArray } from "../message/array.ts";
import { segmentsOf } from "./chunk.ts";
import { SMALL } from "./doubling.ts";
import { createProgress, type Operation, together } from "./operation.ts";

/** A tree for small arrays; a chain for large ones, along which each segment is passed on as it comes. */
export async function broadcast(
  op: Operation,
  array: WireArray,
  root: number,
  abort: (error: unknown) => void,
): Promise<void> {
  const place = (op.rank - root + op.size) % op.size;
  const rankAt = (place: number): number => (place + root) % op.size;
  if (array.byteLength <= SMALL) return await tree(op, array, place, rankAt, abort);
  const segments = segmentsOf({ from: 0, to: array.length }, array.BYTES_PER_ELEMENT);
  const bytes = (i: number): Uint8Array => {
    const { from, to } = segments[i]!;
    return bytesOf(part(array, from, to));
  };
  const received = createProgress();
  async function receive(): Promise<void> {
    const last = op.from(rankAt(place - 1));
    for (let i = 0; i < segments.length; i++) {
      await last.receive(bytes(i));
      received.add();
    }
  }
  async function send(): Promise<void> {
    const next = op.to(rankAt(place + 1));
    for (let i = 0; i < segments.length; i++) {
      if (place > 0) await received.reach(i + 1);
      await next.send(bytes(i));
    }
  }
  await together([
    ...(place > 0 ? [receive()] : []),
    ...(place < op.size - 1 ? [send()] : []),
  ], (error) => {
    abort(error);
    received.fail(error);
  });
}

/** Whoever has the array gives it to the place 2^k on, in round k. */
async function tree(
  op: Operation,
  array: WireArray,
  place: number,
  rankAt: (place: number) => number,
  abort: (error: unknown) => void,
): Promise<void> {
  const bytes = bytesOf(array), top = place === 0 ? 1 : 2 ** (Math.floor(Math.log2(place)) + 1);
  if (place > 0) await op.from(rankAt(place - top / 2)).receive(bytes);
  const sends: Promise<void>[] = [];
  for (let far = top; place + far < op.size; far *= 2) {
    sends.push(op.to(rankAt(place + far)).send(bytes));
  }
  await together(sends, abort);
}
