/**
 * How a member asks others, and what it makes of no answer.
 *
 * @module
 */
import { type Clock, sleep } from "../clock.ts";
import { DistError } from "../error.ts";
import type { AskingTransport, Question } from "../transport/transport.ts";
import type { Seat } from "./roster.ts";

/** An answer; "gone" of who is known to be dead; "silent" of who did not answer in time. */
export type Reply = string;

/** Asks a seat. @throws DistError "mismatch" if that process was told something else than this one */
export type Ask = (seat: Seat, question: string, wait: number) => Promise<Reply>;

/** Asked again after so long, where a connection failed. Units: milliseconds. */
const AGAIN = 100;

/** Asks as `name`. */
export function createAsk(
  transport: AskingTransport,
  name: string,
  who: Omit<Question, "text">,
): Ask {
  const { clock } = transport;
  return (seat, question, wait) => {
    let isLate = false;
    const text = `${name} ${seat.name} ${question}`;
    const ask = async (): Promise<Reply> => {
      while (!isLate) {
        try {
          return await transport.ask(seat.address, { ...who, text });
        } catch (error) {
          if (!(error instanceof DistError) || error.failure === "mismatch") throw error;
          if (error.failure === "lost") return "gone";
          await sleep(clock, AGAIN);
        }
      }
      return "silent";
    };
    return until(clock, wait, ask()).finally(() => isLate = true);
  };
}

function until(clock: Clock, wait: number, reply: Promise<Reply>): Promise<Reply> {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const cancel = clock.after(wait, () => resolve("silent"));
  return Promise.race([reply, promise]).finally(cancel);
}
