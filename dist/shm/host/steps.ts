/**
 * Whole arrays through windows that all ranks of a host see, in steps: each rank copies a piece in, makes its part of the result from
 * everybody's pieces, and copies the others' parts out. A rank is up to a few steps ahead of the others, so that nobody waits for long,
 * and the windows are small enough to stay in the cache, whatever the arrays.
 *
 * All ranks must have ended one array before any begins the next: that they agree on it first sees to that.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { WireArray } from "../../message/array.ts";
import type { Bells } from "./bells.ts";
import { type Layout, WORD } from "./layout.ts";

/** Steps that a rank may be ahead: a power of two, so that slots go round where counts do. */
const SLOTS = 4;
/** After so long the event loop has a turn. Units: milliseconds. */
const TURN = 20;

/** What a rank does in step k of an array. All are called in all steps, by all ranks. */
export interface Step {
  copyIn?(k: number): void;
  make(k: number): void;
  copyOut?(k: number): void;
}

/** The windows of a host's ranks, and steps in them. */
export interface Steps {
  /** Bytes of a piece where `pieces` of them are in a rank's window at once, in each step. */
  pieceBytes(pieces: number): number;
  /** Piece number `piece` of those that a rank gives (window 0) or has made (window 1) in step k, as elements like the array's. */
  piece<T extends WireArray>(
    like: T,
    rank: number,
    window: 0 | 1,
    k: number,
    piece: number,
    pieces: number,
    length: number,
  ): T;
  /** @throws DistError when the group fails */
  run(count: number, step: Step): Promise<void>;
  /** Other ranks that have come less far than this one. */
  behind(): readonly number[];
}

/** Steps of a rank among `size`, none made since `first`, from which all count. */
export function createSteps(
  bytes: ArrayBuffer,
  { window, word }: Layout,
  bells: Bells,
  { rank, size, windowBytes, first = 0 }: {
    readonly rank: number;
    readonly size: number;
    readonly windowBytes: number;
    readonly first?: number;
  },
): Steps {
  const words = new Int32Array(bytes);
  const others = Array.from({ length: size }, (_, r) => r).filter((r) => r !== rank);
  /** Have all others made so many steps? Counts go round. */
  const have = (which: number, count: number): boolean =>
    others.every((r) => ((Atomics.load(words, word(r, which)) - count) | 0) >= 0);
  const made = (which: number, count: number): void => {
    Atomics.store(words, word(rank, which), count | 0);
    // Everybody waits for all: only the last one has something to ring for.
    if (have(which, count)) bells.ring();
  };
  const pieceBytes = (pieces: number): number => Math.floor(windowBytes / SLOTS / pieces / 64) * 64;
  let base = first, last = performance.now();

  async function turn(): Promise<void> {
    if (performance.now() - last < TURN) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    last = performance.now();
  }
  return {
    pieceBytes,
    piece(like, rank, which, k, piece, pieces, length) {
      // Of a negative count too.
      const slot = (base + k) & (SLOTS - 1), size = pieceBytes(pieces);
      const at = window(rank, which) + (slot * pieces + piece) * size;
      const make = like.constructor as new (b: ArrayBuffer, at: number, n: number) => typeof like;
      return new make(bytes, at, length);
    },
    async run(count, { copyIn, make, copyOut }) {
      // Each of the three parts of a step is done in a round of its own, so that others have time for theirs.
      for (let round = 0; round < count + 2; round++) {
        const [into, sum, out] = [round, round - 1, round - 2];
        if (into < count) {
          // Whoever has summed what was there needs it no more.
          await bells.until(() => have(WORD.summed, base + into - SLOTS + 1));
          copyIn?.(into);
          made(WORD.copied, base + into + 1);
        }
        if (sum >= 0 && sum < count) {
          await bells.until(() =>
            have(WORD.copied, base + sum + 1) && have(WORD.taken, base + sum - SLOTS + 1)
          );
          make(sum);
          made(WORD.summed, base + sum + 1);
        }
        if (out >= 0) {
          await bells.until(() => have(WORD.summed, base + out + 1));
          copyOut?.(out);
          made(WORD.taken, base + out + 1);
        }
        await turn();
      }
      base = (base + count) | 0;
    },
    behind() {
      const done = (r: number): number =>
        [WORD.copied, WORD.summed, WORD.taken].reduce<number>(
          (sum, which) => sum + ((Atomics.load(words, word(r, which)) - base) | 0),
          0,
        );
      return others.filter((r) => done(r) < done(rank));
    },
  };
}
