/**
 * Short messages between ranks of a host, one at a time from each to each: by them ranks agree on what they do together.
 *
 * @module
 */
import type { DistError } from "../../error.ts";
import type { Incoming, Outgoing } from "../../transport/transport.ts";
import type { Bells } from "./bells.ts";
import { type Layout, LETTER, MAIL } from "./layout.ts";

/** Ways to and from another rank, by their numbers on this host; `from` and `to` are those in the group. */
export interface Mail {
  outgoing(local: number, from: number, to: number): Outgoing;
  incoming(local: number, from: number, to: number): Incoming;
}

/** A rank's mail. `left` says why a rank of the group, which has left in good order, will write no more. */
export function createMail(
  bytes: ArrayBuffer,
  { box }: Layout,
  bells: Bells,
  rank: number,
  left: (rank: number) => DistError | undefined,
): Mail {
  const boxAt = (from: number, to: number, other: number) => {
    const at = box(from, to), words = new Int32Array(bytes, at, 2);
    return {
      letter: new Uint8Array(bytes, at + 8, LETTER),
      has: () => Atomics.load(words, MAIL.sent) !== Atomics.load(words, MAIL.taken),
      count(which: number) {
        Atomics.add(words, which, 1);
        bells.ring(other);
      },
    };
  };
  return {
    outgoing(local, from, to) {
      const { letter, has, count } = boxAt(rank, local, local);
      return {
        from,
        to,
        async send(head) {
          await bells.until(() => !has());
          letter.set(head);
          count(MAIL.sent);
        },
      };
    },
    incoming(local, from, to) {
      const { letter, has, count } = boxAt(local, rank, local);
      return {
        from,
        to,
        async receive(head) {
          await bells.until(() => has() || left(from) !== undefined);
          if (!has()) throw left(from)!;
          head.set(letter.subarray(0, head.length));
          count(MAIL.taken);
        },
        body: () => Promise.resolve(),
      };
    },
  };
}
