/**
 * Counts different things without an object for each: a set of numbers that is emptied in no time.
 *
 * @module
 */

/** Different numbers seen since the last `clear`. */
export interface Distinct {
  /** Makes room for so many, and forgets all. */
  clear(room: number): void;
  /** Notes a number of 32 bits; true where it is new. */
  add(value: number): boolean;
}

/** A hash table whose places are marked by the round in which they were filled. */
export function distinct(): Distinct {
  let bits = 10, values = new Int32Array(1 << bits), rounds = new Uint32Array(1 << bits), round = 0;
  return {
    clear(room) {
      if (2 * room > values.length || round === 0xffffffff) {
        bits = Math.max(10, Math.ceil(Math.log2(2 * room + 1)));
        [values, rounds, round] = [new Int32Array(1 << bits), new Uint32Array(1 << bits), 0];
      }
      round++;
    },
    add(value) {
      value |= 0;
      const last = values.length - 1;
      for (let at = Math.imul(value, 0x9e3779b1) >>> 32 - bits;; at = at + 1 & last) {
        if (rounds[at] !== round) {
          rounds[at] = round;
          values[at] = value;
          return true;
        }
        if (values[at] === value) return false;
      }
    },
  };
}
