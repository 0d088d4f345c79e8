/**
 * A set of 64-bit hashes, each with a small number beside it, in memory that workers share.
 *
 * @module
 */

/** Hashes as two words each. */
export interface HashSet {
  /** Two words a place, 0 0 for an empty one. */
  readonly keys: Uint32Array<SharedArrayBuffer>;
  readonly values: Uint16Array<SharedArrayBuffer>;
}

/** A set with room for so many. */
export function hashSet(entries: number): HashSet {
  const size = 2 ** Math.ceil(Math.log2(1.5 * entries + 16));
  return {
    keys: new Uint32Array(new SharedArrayBuffer(8 * size)),
    values: new Uint16Array(new SharedArrayBuffer(2 * size)),
  };
}

function place({ keys }: HashSet, low: number, high: number): number {
  const last = keys.length / 2 - 1;
  for (let at = low & last;; at = at + 1 & last) {
    const a = keys[2 * at]!, b = keys[2 * at + 1]!;
    if (a === low && b === high) return at;
    if (a === 0 && b === 0) return ~at;
  }
}

/** The number beside a hash, or -1. Both words are unsigned, and not both 0. */
export function valueOf(set: HashSet, low: number, high: number): number {
  const at = place(set, low, high);
  return at < 0 ? -1 : set.values[at]!;
}

/** Puts a hash in, unless it is there. */
export function addHash(set: HashSet, low: number, high: number, value: number): void {
  const at = place(set, low, high);
  if (at >= 0) return;
  set.keys[2 * ~at] = low;
  set.keys[2 * ~at + 1] = high;
  set.values[~at] = value;
}
