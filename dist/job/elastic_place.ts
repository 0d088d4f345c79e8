/**
 * Which member of an elastic job this process is, as whoever started it says in the environment.
 *
 * @module
 */
import { readSeat, type Seat } from "../elastic/roster.ts";
import type { Place } from "../net/network.ts";
import { placeOf } from "../transport/sockets.ts";

/** A process among those of an elastic job. */
export interface ElasticPlace {
  /** Itself. */
  readonly seat: Seat;
  /** Where it listens. */
  readonly door: Place;
  /** Who is there from the beginning; for a newcomer, at whose doors to knock. */
  readonly founders: readonly Seat[];
  /** The job's name. */
  readonly job: string;
  /** What its members know and nobody else does. */
  readonly token: string | undefined;
}

/** Names of its variables, beside those of any job. */
export const elasticVariables = ["MOTIAN_MEMBER", "MOTIAN_FOUNDERS"] as const;

/**
 * This process's place in an elastic job; undefined if it has none: MOTIAN_MEMBER is its name and where it listens,
 * `NAME=ws://HOST:PORT`, and MOTIAN_FOUNDERS all such, with commas between, of who is there from the beginning.
 *
 * @throws RangeError if the variables are not what they must be
 *
 * @example
 * ```ts
 * import { elasticPlace } from "./elastic_place.ts";
 * const env = new Map([["MOTIAN_MEMBER", "a=ws://127.0.0.1:4000"]]);
 * console.log(elasticPlace((name) => env.get(name))?.door.port); // 4000
 * ```
 */
export function elasticPlace(env: (name: string) => string | undefined): ElasticPlace | undefined {
  const text = env("MOTIAN_MEMBER");
  if (!text) return undefined;
  const list = env("MOTIAN_FOUNDERS") || text;
  const [seat, ...founders] = [text, ...list.split(",")].map((word) => {
    const found = readSeat(word);
    if (found) return found;
    throw new RangeError(
      `Cannot be a member with MOTIAN_MEMBER=${text} MOTIAN_FOUNDERS=${list}: "${word}" must be like name=ws://127.0.0.1:4000`,
    );
  });
  return {
    seat: seat!,
    door: placeOf(seat!.address, seat!.address.startsWith("wss:") ? "wss" : "ws"),
    founders,
    job: env("MOTIAN_JOB") || "motian",
    token: env("MOTIAN_TOKEN") || undefined,
  };
}
