/**
 * What lies where in memory that the ranks of one host share.
 *
 * @module
 */

/** Bytes of a line of the cache: what different ranks write lies in different ones. */
const LINE = 64;
/** Words of a line. */
const WORDS = LINE / 4;

/**
 * A rank's words, a line each: steps in which it has copied its part in, made sums, and taken others' sums; how many of its waits are
 * asleep, and a count of those who rang it.
 */
export const WORD = { copied: 0, summed: 1, taken: 2, asleep: 3, bell: 4 } as const;
/** Lines of a rank. */
const RANK_LINES = 5;

/** Words of a letter box before the letter: how many were put in and taken out. */
export const MAIL = { sent: 0, taken: 1 } as const;
/** Bytes of a letter at most, and of its box. */
export const LETTER = 96;
const BOX = 2 * LINE;

/** Before all: what shows that it is the right memory, and how many have come. */
export const NONCE = 16;
const ARRIVED = NONCE / 4;

/** Places in it. Units: bytes, or words of 32 bits where it says so. */
export interface Layout {
  /** All of it. */
  readonly bytes: number;
  /** The count of those who have come. Units: words. */
  readonly arrived: number;
  /** Units: words. */
  readonly word: (rank: number, which: number) => number;
  /** The box for letters from one rank to another. */
  readonly box: (from: number, to: number) => number;
  /** A rank's two windows: what it gives to sums, and sums. */
  readonly window: (rank: number, which: 0 | 1) => number;
}

/** Where things are for so many ranks with windows of so many bytes, a multiple of 64. */
export function layoutOf(size: number, window: number): Layout {
  const boxes = LINE + size * RANK_LINES * LINE, windows = boxes + size * size * BOX;
  return {
    bytes: windows + 2 * size * window,
    arrived: ARRIVED,
    word: (rank, which) => WORDS * (1 + rank * RANK_LINES + which),
    box: (from, to) => boxes + (from * size + to) * BOX,
    window: (rank, which) => windows + (2 * rank + which) * window,
  };
}
