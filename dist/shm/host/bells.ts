/**
 * Waiting for other ranks of this host: a moment on the core, then asleep until somebody rings.
 *
 * Whoever changes something rings for those who sleep. A sleeper says so first and looks again after: either it sees the change, or who
 * made it sees the sleeper.
 *
 * @module
 */
import type { DistError } from "../../error.ts";
import { type Layout, WORD } from "./layout.ts";
import type { Libc, Mapping } from "./libc.ts";

/** What a rank needs to wait. */
export interface Bells {
  /** Resolves when it is so. @throws DistError when the group has failed before */
  until(isSo: () => boolean): Promise<void>;
  /** Something has changed that all others, or one, may wait for. */
  ring(other?: number): void;
  /** This rank's own waits look again. */
  look(): void;
  /** This rank's own waits are rejected, those that come too. */
  fail(error: DistError): void;
}

/** So long a sleeper lies, at most, before it looks by itself. Units: milliseconds. */
const NAP = 100;
/** Looks between two glances at the clock. */
const LOOKS = 16;

/** Bells of a rank, which stays on the core for `moment` milliseconds before it sleeps. */
export function createBells(
  libc: Libc,
  { at, bytes }: Mapping,
  { word }: Layout,
  { rank, size, moment }: { readonly rank: number; readonly size: number; readonly moment: number },
): Bells {
  const words = new Int32Array(bytes), pointers = new Map<number, Deno.PointerObject>();
  const pointer = (index: number): Deno.PointerObject => {
    const known = pointers.get(index) ?? Deno.UnsafePointer.offset(at, 4 * index)!;
    pointers.set(index, known);
    return known;
  };
  const mine = word(rank, WORD.bell), asleep = word(rank, WORD.asleep);
  const others = Array.from({ length: size }, (_, r) => r).filter((r) => r !== rank);
  let failure: DistError | undefined;
  const call = (bell: number): void => {
    Atomics.add(words, bell, 1);
    libc.wake(pointer(bell));
  };
  return {
    async until(isSo) {
      if (failure) throw failure;
      if (isSo()) return;
      const end = performance.now() + moment;
      // The core is not given up in between: since Linux 6.18 every sched_yield(2) costs a whole slice in the queue.
      while (performance.now() < end) {
        for (let i = 0; i < LOOKS; i++) if (isSo()) return;
      }
      Atomics.add(words, asleep, 1);
      try {
        for (;;) {
          const seen = Atomics.load(words, mine);
          if (failure) throw failure;
          if (isSo()) return;
          await libc.wait(pointer(mine), seen, NAP);
        }
      } finally {
        Atomics.sub(words, asleep, 1);
      }
    },
    ring(other) {
      for (const r of other === undefined ? others : [other]) {
        if (Atomics.load(words, word(r, WORD.asleep)) !== 0) call(word(r, WORD.bell));
      }
    },
    look: () => call(mine),
    fail(error) {
      failure ??= error;
      call(mine);
    },
  };
}
