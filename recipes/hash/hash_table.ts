/**
 * A table from 64-bit hashes to numbers, in two plain arrays: millions of entries without an object for each.
 *
 * @module
 */

/** Where equal hashes meet. */
export interface HashTable {
  /** The number that came with the first equal hash, or this one, which is the first then. */
  first(low: number, high: number, value: number): number;
  /** Forgets all. */
  clear(): void;
}

/** A table for at most `entries` different hashes. */
export function hashTable(entries: number): HashTable {
  const size = 2 ** Math.ceil(Math.log2(Math.max(16, 1.5 * entries))), last = size - 1;
  const keys = new Uint32Array(2 * size), values = new Uint32Array(size); // 0: empty, else value + 1
  return {
    first(low, high, value) {
      for (let at = (low ^ Math.imul(high, 0x9e3779b1)) & last;; at = at + 1 & last) {
        const found = values[at]!;
        if (found === 0) {
          keys[2 * at] = low;
          keys[2 * at + 1] = high;
          values[at] = value + 1;
          return value;
        }
        if (keys[2 * at] === low >>> 0 && keys[2 * at + 1] === high >>> 0) return found - 1;
      }
    },
    clear: () => void values.fill(0),
  };
}
