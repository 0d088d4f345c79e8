/**
 * Arrays that another thread may work on: the caller's own, where it lies in shared memory, else a copy.
 *
 * @module
 */
import { part, type WireArray } from "../message/array.ts";

/** An array that is lent. */
export interface Lent<T extends WireArray = WireArray> {
  /** What the other thread works on. */
  readonly array: T;
  /** Brings what it has become to the caller's. */
  bring(): void;
  /** The other thread is done with it. */
  release(): void;
}

/** Copies of a thread's arrays. */
export interface SharedRooms {
  lend<T extends WireArray>(array: T): Lent<T>;
}

/** Bytes of copies that are kept for the next. */
const MOST_KEPT = 128 << 20;

/** No copies yet. */
export function createSharedRooms(): SharedRooms {
  let free: SharedArrayBuffer[] = [], kept = 0;

  /** The smallest that is free and large enough, but not too large. */
  function take(bytes: number): SharedArrayBuffer {
    const fits = free.filter(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes);
    const [best] = fits.sort((a, b) => a.byteLength - b.byteLength);
    if (!best) return new SharedArrayBuffer(Math.ceil(Math.max(1, bytes) / 64) * 64);
    free = free.filter((buffer) => buffer !== best);
    kept -= best.byteLength;
    return best;
  }
  function give(buffer: SharedArrayBuffer): void {
    if (kept + buffer.byteLength > MOST_KEPT) return;
    free.push(buffer);
    kept += buffer.byteLength;
  }
  return {
    lend<T extends WireArray>(array: T): Lent<T> {
      if (array.buffer instanceof SharedArrayBuffer) {
        return { array, bring() {}, release() {} };
      }
      const buffer = take(array.byteLength);
      const make = array.constructor as new (buffer: SharedArrayBuffer) => T;
      const copy = part(new make(buffer), 0, array.length);
      copy.set(array);
      return { array: copy, bring: () => array.set(copy), release: () => give(buffer) };
    },
  };
}
