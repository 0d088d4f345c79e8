/**
 * When the word of a machine that nobody listens at an address proves that the process there is dead, and has not only come to its
 * end with the others, who left this one out.
 *
 * Who leaves a member out and comes to its end stays for `lingerFor` after, to say so. So it is proof where the member was heard
 * until shortly before, and this process has not stood still meanwhile.
 *
 * @module
 */
import type { Clock } from "../clock.ts";

/** What one process knows of others' lives. */
export interface Proofs {
  /** A member said something that shows that it had not left this one out. */
  heard(name: string): void;
  /** The whole group worked until now: it was formed, or did a step. */
  worked(): void;
  /** Its failure was noticed now. */
  failed(): void;
  /** A member is known to be dead. */
  ended(name: string): void;
  /** Is a member dead, if nobody listens at its address? */
  isProven(name: string): boolean;
  stop(): void;
}

/** Who left others out without proof must stay for so long after. Units: milliseconds. */
export function lingerFor(silence: number): number {
  // Until the one that was left out notices, and for as long as its proofs hold.
  return 2 * silence + 1000;
}

/** Nothing known yet. */
export function createProofs(clock: Clock, silence: number): Proofs {
  const last = new Map<string, number>(), ended = new Set<string>();
  let looked = clock.now(), woke = -Infinity, work = -Infinity, contact = -Infinity;
  let cancel = clock.after(silence / 4, tick);
  /** A process that is stopped, or computes, for longer than others bear knows nothing of the time between. */
  function look(): void {
    const now = clock.now();
    if (now - looked > silence) woke = now;
    looked = now;
  }
  function tick(): void {
    look();
    cancel = clock.after(silence / 4, tick);
  }
  return {
    heard: (name) => void last.set(name, clock.now()),
    worked: () => void (work = clock.now()),
    failed() {
      look();
      // Who has not worked yet may not have come yet.
      contact = woke > work || work === -Infinity ? -Infinity : clock.now();
    },
    ended: (name) => void ended.add(name),
    isProven(name) {
      look();
      const heard = last.get(name) ?? -Infinity;
      const since = Math.max(
        heard > woke ? heard : -Infinity,
        contact > woke ? contact : -Infinity,
      );
      return ended.has(name) || clock.now() - since <= silence;
    },
    stop: () => cancel(),
  };
}
