/**
 * Round trips between two ranks, and what their clocks say meanwhile.
 *
 * @module
 */
import type { Group } from "../../dist/mod.ts";

/** What two ranks need of their group. */
export type Ends = Pick<Group, "rank" | "send" | "receive">;

/** Round trips, as the rank that asks sees them. Units: milliseconds. */
export interface Echoes {
  readonly times: readonly number[];
  readonly least: number;
  /** The other's clock less this one's, by the shortest: off by half of it at most. */
  readonly offset: number;
}

/**
 * One rank asks, the other answers with its time; both must call it. Like NTP, it takes the answer to have been given in the middle of
 * the round trip, which is nearest to the truth in the shortest one.
 */
export async function echo(
  group: Ends,
  other: number,
  asks: boolean,
  count: number,
  now: () => number,
): Promise<Echoes> {
  const word = new Float64Array(1), times: number[] = [];
  let offset = 0, least = Infinity;
  for (let i = 0; i < count; i++) {
    if (!asks) {
      await group.receive(word, other);
      word[0] = now();
      await group.send(word, other);
      continue;
    }
    const start = now();
    await group.send(word, other);
    await group.receive(word, other);
    const end = now();
    times.push(end - start);
    if (end - start >= least) continue;
    least = end - start;
    offset = word[0]! - (start + end) / 2;
  }
  return { times, least, offset };
}
