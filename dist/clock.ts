/**
 * Time, as the only thing that tells a real network from a simulated one.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** What time it is, and what to do later. */
export interface Clock {
  /** Units: milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls `f` once after so many milliseconds, unless the function that it gives is called before. Keeps no process alive. */
  after(ms: number, f: () => void): () => void;
}

/** The time of this machine. */
export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, f) {
    const timer = setTimeout(f, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Waits. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
