/**
 * Is the main thread alive? It counts its turns of the event loop in a word of shared memory, which the other thread looks at: a main
 * thread that computes for long counts nothing meanwhile, so the time that it may is a long one.
 *
 * @module
 */
import { clearInterval, setInterval } from "node:timers";
import type { Clock } from "../clock.ts";

/** Looks and counts in the time of a hang. */
const LOOKS = 8;

/** A count of turns that nobody has taken yet. */
export function createTurns(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Counts this thread's turns, often enough for a hang of so many milliseconds, until the function that it gives is called. */
export function countTurns(turns: Int32Array, hang: number): () => void {
  const timer = setInterval(() => Atomics.add(turns, 0, 1), Math.min(1000, hang / LOOKS));
  timer.unref();
  return () => clearInterval(timer);
}

/** Calls `f` once when no turn has been counted for `hang` milliseconds. */
export function watchTurns(
  turns: Int32Array,
  hang: number,
  clock: Clock,
  f: (ms: number) => void,
): void {
  const interval = Math.min(1000, hang / LOOKS);
  let seen = Atomics.load(turns, 0), since = clock.now(), last = since;
  clock.after(interval, function look() {
    const now = clock.now(), count = Atomics.load(turns, 0);
    // If the whole process stood still, that is not the main thread's silence.
    const stoodStill = now - last > interval + hang / 2;
    last = now;
    if (count !== seen || stoodStill) [seen, since] = [count, now];
    else if (now - since > hang) return f(now - since);
    clock.after(interval, look);
  });
}
