/**
 * Counter-based random numbers on the host: a draw is a pure function of (key, counter), so that a mask or a shuffle
 * depends on nothing but the seed, the epoch and the example, whoever computes it and in whatever order.
 *
 * Source: Threefry-2x32 with 20 rounds, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 *
 * @module
 */

const PARITY = 0x1bd11bda;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Two random words from a key and a counter of two words each, written to `out`. */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
): void {
  const key2 = PARITY ^ key0 ^ key1;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  let a = key1, b = key2, c = key0; // the keys of the next injections, in turn
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round & 7]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if ((round & 3) === 3) {
      x0 = (x0 + a) | 0;
      x1 = (x1 + b + (round + 1 >> 2)) | 0;
      [a, b, c] = [b, c, a];
    }
  }
  out[0] = x0;
  out[1] = x1;
}

/** A sequence of draws. */
export interface Draws {
  /** 32 random bits. */
  bits(): number;
  /** A number in [0, 1). */
  uniform(): number;
  /** A whole number in [0, n), n at most 2³². */
  below(n: number): number;
}

/** What the draws are for: two uses of one seed must not see the same numbers. */
export const USES = {
  shuffle: 1,
  mask: 2,
  heldOut: 3,
  sources: 4,
  pairs: 5,
  clicks: 6,
  clickMask: 7,
  units: 8,
  unitBatches: 9,
  tokenStart: 10,
} as const;

/**
 * The draws of (seed, use, epoch, index). Seed, epoch and index are taken modulo 2³².
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { draws, USES } from "./counter_random.ts";
 *
 * assertEquals(draws(1, USES.mask, 0, 7).bits(), draws(1, USES.mask, 0, 7).bits());
 * ```
 */
export function draws(seed: number, use: number, epoch: number, index: number): Draws {
  const block = new Uint32Array(2);
  // The use goes into the key by one more encryption, which leaves all of (epoch, index) to the counters.
  threefry(seed, use, epoch, index, block);
  const key0 = block[0]!, key1 = block[1]!;
  let drawn = 0;
  function bits(): number {
    if ((drawn & 1) === 0) threefry(key0, key1, drawn >>> 1, 0, block);
    return block[drawn++ & 1]!;
  }
  return {
    bits,
    uniform: () => bits() / 0x100000000,
    below: (n) => Math.floor(bits() / 0x100000000 * n),
  };
}

/** A random order of 0 … n-1 (Fisher and Yates). */
export function permutation(n: number, { below }: Draws): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
