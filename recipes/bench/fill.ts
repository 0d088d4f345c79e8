/**
 * The numbers that every side of a comparison computes with: a formula, so that no data is sent to a peer, in any language.
 *
 * @module
 */

/**
 * Numbers in [-scale, scale), the same for the same seed everywhere: 24 bits of a hash of the place, exact in f32.
 *
 * Source: the mixer is Chris Wellons's lowbias32, with two rounds.
 */
export function fill(seed: number, count: number, scale = 1): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = scale * ((hash(seed, i) >>> 8) / 2 ** 23 - 1);
  return out;
}

/** Whole numbers from `low` to under `high`. */
export function fillWhole(
  seed: number,
  count: number,
  low: number,
  high: number,
): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: count }, (_, i) => low + hash(seed, i) % (high - low));
}

function hash(seed: number, i: number): number {
  let u = (Math.imul(i, 0x9e3779b1) + Math.imul(seed + 1, 0x85ebca6b)) >>> 0;
  u = Math.imul(u ^ (u >>> 16), 0x7feb352d) >>> 0;
  u = Math.imul(u ^ (u >>> 15), 0x846ca68b) >>> 0;
  return (u ^ (u >>> 16)) >>> 0;
}
