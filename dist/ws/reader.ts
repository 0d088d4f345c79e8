/**
 * Reading exact numbers of bytes from a stream: small reads through a buffer, large ones straight to where they belong.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { ByteStream } from "../net/network.ts";

/** The stream ended where more had to come. */
export class EndError extends RangeError {
  /** "EndError" */
  override readonly name = "EndError";
}

/** Reads a stream from one place at a time. */
export interface Reader {
  /** How long somebody has been waiting for bytes that do not come, by the clock; 0 if nobody waits. Units: milliseconds. */
  silence(): number;
  /** Fills `into`. @throws EndError */
  fill(into: Uint8Array): Promise<void>;
  /** The bytes up to and with the first blank line, as text. @throws EndError, or RangeError if that takes more than `limit`. */
  head(limit: number): Promise<string>;
  /** The next `count` bytes without taking them; they stay valid until the next call. At most {@linkcode PEEK}. @throws EndError */
  peek(count: number): Promise<Uint8Array>;
  /** Takes bytes that were looked at. */
  skip(count: number): void;
  /** Some of the next bytes, at most `most`, without a copy; they stay valid until the next call. @throws EndError */
  some(most: number): Promise<Uint8Array>;
}

/** Bytes that may be looked at ahead. */
export const PEEK = 16;
const BUFFER = 64 << 10;
/** Reads of fewer bytes go through the buffer, which takes what follows in the same call. */
const DIRECT = 16 << 10;

/** A reader of a stream. */
export function createReader(stream: ByteStream, clock: Clock): Reader {
  const buffer = new Uint8Array(BUFFER);
  let from = 0, to = 0, waitingSince: number | undefined;

  async function more(into: Uint8Array): Promise<number> {
    waitingSince = clock.now();
    const count = await stream.read(into);
    waitingSince = undefined;
    if (count === null) throw new EndError("Cannot read on: the stream ended");
    return count;
  }
  /** Makes at least `count` bytes stand in the buffer. */
  async function need(count: number): Promise<void> {
    if (from > 0 && from + count > BUFFER) {
      buffer.copyWithin(0, from, to);
      to -= from;
      from = 0;
    }
    if (from === to) from = to = 0;
    while (to - from < count) to += await more(buffer.subarray(to));
  }
  return {
    silence: () => waitingSince === undefined ? 0 : clock.now() - waitingSince,
    async fill(into) {
      let at = Math.min(into.length, to - from);
      into.set(buffer.subarray(from, from + at));
      from += at;
      while (into.length - at >= DIRECT) at += await more(at ? into.subarray(at) : into);
      const rest = into.length - at;
      if (rest === 0) return;
      await need(rest);
      into.set(buffer.subarray(from, from + rest), at);
      from += rest;
    },
    async head(limit) {
      for (let seen = 0;;) {
        const text = new TextDecoder("latin1").decode(buffer.subarray(from, to));
        const end = text.indexOf("\r\n\r\n", Math.max(0, seen - 3));
        if (end >= 0 && end + 4 <= limit) {
          from += end + 4;
          return text.slice(0, end + 4);
        }
        if (text.length >= limit || end >= 0) {
          throw new RangeError(`Cannot read a head of more than ${limit} bytes`);
        }
        seen = text.length;
        await need(text.length + 1);
      }
    },
    async peek(count) {
      if (to - from < count) await need(count);
      return buffer.subarray(from, from + count);
    },
    skip(count) {
      from += count;
    },
    async some(most) {
      if (from === to) await need(1);
      const count = Math.min(most, to - from), bytes = buffer.subarray(from, from + count);
      from += count;
      return bytes;
    },
  };
}
