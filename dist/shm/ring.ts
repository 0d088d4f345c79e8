/**
 * One direction of a connection in shared memory: bytes go round a ring, from one thread or process to another.
 *
 * @module
 */
import { DistError } from "../error.ts";
import { RING } from "./space.ts";

/** A ring: one side writes, the other reads. */
export interface Ring {
  write(bytes: Uint8Array): Promise<number>;
  read(into: Uint8Array): Promise<number | null>;
  /** The writer has no more to say. */
  finish(): void;
  /** The reader takes no more. */
  abandon(): void;
  /** Ready for others. */
  reset(): void;
}

/** How the other side is told of a change, and waited for. */
export interface RingBell {
  /** The count, a word of the ring, has changed. */
  wake(words: Int32Array, count: number): void;
  /** Resolves when the count is no longer `seen`, or before. */
  wait(words: Int32Array, count: number, seen: number): PromiseLike<unknown> | unknown;
}

/** Between threads. */
const threads: RingBell = {
  wake: (words, count) => void Atomics.notify(words, count),
  wait: (words, count, seen) => Atomics.waitAsync(words, count, seen).value,
};

/** The ring whose words and bytes these are. Once `isOpen` says no, it is perhaps others' already. */
export function ringIn(
  words: Int32Array,
  bytes: Uint8Array,
  isOpen: () => boolean,
  bell: RingBell = threads,
): Ring {
  const size = bytes.length;
  const has = (flag: number): boolean => Atomics.load(words, flag) !== 0;
  const wake = (count: number): void => {
    Atomics.add(words, count, 1);
    bell.wake(words, count);
  };
  /** Copies to or from the ring, in two parts where it goes over the end. */
  function each(
    at: number,
    count: number,
    copy: (from: number, to: number, done: number) => void,
  ): void {
    const start = at & (size - 1), first = Math.min(count, size - start);
    copy(start, start + first, 0);
    if (count > first) copy(0, count - first, first);
  }
  const closed = (): DistError =>
    new DistError("Cannot go on with a connection: it was closed", "lost");
  return {
    async write(data) {
      for (;;) {
        if (!isOpen()) throw closed();
        const seen = Atomics.load(words, RING.toWriter);
        if (has(RING.abandoned) || has(RING.finished)) throw closed();
        const written = Atomics.load(words, RING.written);
        const room = size - ((written - Atomics.load(words, RING.read)) >>> 0);
        const count = Math.min(room, data.length);
        if (count > 0 || data.length === 0) {
          each(
            written,
            count,
            (from, to, done) => bytes.set(data.subarray(done, done + to - from), from),
          );
          Atomics.store(words, RING.written, (written + count) | 0);
          wake(RING.toReader);
          return count;
        }
        await bell.wait(words, RING.toWriter, seen);
      }
    },
    async read(into) {
      for (;;) {
        if (!isOpen()) throw closed();
        const seen = Atomics.load(words, RING.toReader);
        if (has(RING.abandoned)) throw closed();
        const isFinished = has(RING.finished), read = Atomics.load(words, RING.read);
        const count = Math.min((Atomics.load(words, RING.written) - read) >>> 0, into.length);
        if (count > 0) {
          each(read, count, (from, to, done) => into.set(bytes.subarray(from, to), done));
          Atomics.store(words, RING.read, (read + count) | 0);
          wake(RING.toWriter);
          return count;
        }
        if (isFinished) return null;
        await bell.wait(words, RING.toReader, seen);
      }
    },
    finish() {
      Atomics.store(words, RING.finished, 1);
      for (const count of [RING.toReader, RING.toWriter]) wake(count);
    },
    abandon() {
      Atomics.store(words, RING.abandoned, 1);
      for (const count of [RING.toReader, RING.toWriter]) wake(count);
    },
    reset() {
      for (const word of [RING.written, RING.read, RING.finished, RING.abandoned]) {
        Atomics.store(words, word, 0);
      }
    },
  };
}
