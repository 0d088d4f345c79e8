/**
 * Quantiles of more numbers than one would keep.
 *
 * @module
 */

/** Bins a doubling. */
const FINE = 256, DOUBLINGS = 64;

/** Collects positive numbers with weights. */
export interface Quantiles {
  add(value: number, weight: number): void;
  /** The value under which a share of the weight lies, to 0.3 %. */
  at(share: number): number;
}

/** Counts by the logarithm. */
export function quantiles(): Quantiles {
  const bins = new Float64Array(FINE * DOUBLINGS);
  let total = 0;
  return {
    add(value, weight) {
      const bin = Math.floor(FINE * Math.log2(Math.max(1, value)));
      bins[Math.min(bins.length - 1, bin)]! += weight;
      total += weight;
    },
    at(share) {
      let below = 0;
      for (let bin = 0; bin < bins.length; bin++) {
        below += bins[bin]!;
        if (below >= share * total) return 2 ** ((bin + 1) / FINE);
      }
      return Infinity;
    },
  };
}
