/**
 * What each rank has, brought to the first.
 *
 * @module
 */
import type { Group } from "../../dist/mod.ts";
import { echo } from "./echo.ts";

/** Every rank's bytes, by rank, for the first one; nothing for the others. All must call it. */
export async function gatherBytes(group: Group, bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const sizes = new Float64Array(group.size);
  sizes[group.rank] = bytes.length;
  await group.allGather(sizes);
  if (group.rank > 0) {
    await group.send(bytes, 0);
    return [];
  }
  const all = [bytes];
  // One after the other: together they may be more than the first rank has room for in flight.
  for (let rank = 1; rank < group.size; rank++) {
    all.push(await group.receive(new Uint8Array(sizes[rank]!), rank));
  }
  return all;
}

/** Round trips for a clock: the first opens links. */
const ECHOES = 20;

/** Every rank's clock less the first one's, in milliseconds, for the first one. All must call it. */
export async function clockOffsets(
  group: Group,
  now: () => number = () => performance.now(),
): Promise<readonly number[]> {
  if (group.rank > 0) {
    await echo(group, 0, false, ECHOES, now);
    return [];
  }
  const offsets = [0];
  for (let rank = 1; rank < group.size; rank++) {
    offsets.push((await echo(group, rank, true, ECHOES, now)).offset);
  }
  return offsets;
}
