/**
 * Why a link ends, as words that fit a close frame.
 *
 * @module
 */
import { DistError, failures } from "../error.ts";
import type { Farewell } from "../ws/socket.ts";

/** Close codes from here on are ours: one for each failure. */
const FIRST = 4000;

/** What to tell the peer: the rank at fault, where one is, and the message. */
export function farewellFor(error: DistError): Farewell {
  return {
    code: FIRST + failures.indexOf(error.failure),
    reason: `${error.rank ?? ""}|${error.message}`,
  };
}

/** What the words of rank `from` mean here. */
export function errorFrom({ code, reason }: Farewell, from: number): DistError {
  const failure = failures[code - FIRST];
  if (failure) {
    const [, rank, message] = /^(\d*)\|(.*)$/s.exec(reason) ?? ["", "", reason];
    const text = `${message} (said rank ${from})`;
    return new DistError(text, failure, { rank: rank ? Number(rank) : from });
  }
  if (code === 1000) {
    return new DistError(`Cannot go on with rank ${from}: it has left the group`, "closed", {
      rank: from,
    });
  }
  const words = reason ? ` "${reason}"` : "";
  return new DistError(
    `Cannot go on with rank ${from}: it closed with code ${code}${words}`,
    "corrupt",
    {
      rank: from,
    },
  );
}
