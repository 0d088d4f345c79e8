/**
 * Every rank has something for every other one.
 *
 * @module
 */
import { segmentsOf } from "../group/chunk.ts";
import { together } from "../group/operation.ts";
import { part, type WireArray } from "../message/array.ts";
import type { Collective } from "./alone.ts";

/** Sends `given(r)` to every other rank r, and fills `taken(r)` with what comes from it. */
export async function swap(
  group: Pick<Collective, "rank" | "size" | "send" | "receive">,
  given: (rank: number) => WireArray,
  taken: (rank: number) => WireArray,
): Promise<void> {
  const others = Array.from({ length: group.size }, (_, r) => r).filter((r) => r !== group.rank);
  const parts = (array: WireArray): WireArray[] =>
    segmentsOf({ from: 0, to: array.length }, array.BYTES_PER_ELEMENT).map(({ from, to }) =>
      part(array, from, to)
    );
  const send = async (r: number): Promise<void> => {
    for (const segment of parts(given(r))) await group.send(segment, r);
  };
  const receive = async (r: number): Promise<void> => {
    for (const segment of parts(taken(r))) await group.receive(segment, r);
  };
  // What fails ends the group, and so the others.
  await together(others.flatMap((r) => [send(r), receive(r)]), () => {});
}
