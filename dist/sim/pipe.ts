/**
 * One direction of a simulated connection: bytes arrive in order, after a while, in pieces, and only so many are under way.
 *
 * @module
 */
import { ResetError } from "./reset_error.ts";

/** What a pipe asks of the world that it lies in. */
export interface Weather {
  now(): number;
  /** Milliseconds that this many bytes take, losses included. */
  delay(bytes: number): number;
  /** Does the way lead through, to the reader and back? */
  isOpen(direction: "there" | "back"): boolean;
  /** Calls `f` at a host after so many milliseconds. */
  at(host: number, ms: number, f: () => void): void;
  /** May change what arrives. */
  touch(bytes: Uint8Array): void;
  /** Between 0 and 1. */
  random(): number;
}

/** One direction. */
export interface Pipe {
  write(bytes: Uint8Array): Promise<number>;
  read(into: Uint8Array): Promise<number | null>;
  /** The writer has no more to say: the reader gets what is under way, then the end. */
  finish(): void;
  /** Nobody reads any more: the writer hears of it when it writes on. */
  abandon(): void;
  /** Both sides fail, the far one when it hears of it. */
  reset(): void;
}

/** Bytes written and not yet read. */
const WINDOW = 256 << 10;
/** Bytes that travel together, at most. */
const PIECE = 64 << 10;
/** After so long what did not get through is tried again. Units: milliseconds. */
const RETRY = 200;

/** A pipe from one host to another. */
export function createPipe(from: number, to: number, weather: Weather): Pipe {
  const underway: (Uint8Array | null)[] = [], arrived: (Uint8Array | null)[] = [];
  let used = 0, lastArrival = 0, fault: ResetError | undefined;
  let isFinished = false, isAbandoned = false;
  let reader: (() => void) | undefined, writer: (() => void) | undefined;

  function wake(): void {
    reader?.();
    writer?.();
    reader = writer = undefined;
  }
  function fail(): void {
    fault ??= new ResetError();
    wake();
  }
  /** The next of what is under way arrives, or is tried again. Pieces never overtake: each arrival takes the first one. */
  function arrive(): void {
    if (fault) return;
    if (!weather.isOpen("there")) return weather.at(to, RETRY, arrive);
    const piece = underway.shift()!;
    if (isAbandoned) {
      if (piece) weather.at(from, weather.delay(0), fail);
      return;
    }
    if (piece) weather.touch(piece);
    arrived.push(piece);
    wake();
  }
  function dispatch(piece: Uint8Array | null): void {
    underway.push(piece);
    const now = weather.now();
    lastArrival = Math.max(now + weather.delay(piece?.length ?? 0), lastArrival);
    weather.at(to, lastArrival - now, arrive);
  }
  function release(count: number): void {
    if (!weather.isOpen("back")) return weather.at(from, RETRY, () => release(count));
    used -= count;
    wake();
  }
  return {
    async write(bytes) {
      // Like TCP, rather waits than fill a window with crumbs.
      const room = Math.min(bytes.length, PIECE / 4);
      while (WINDOW - used < room && !fault && !isFinished) {
        await new Promise<void>((resolve) => writer = resolve);
      }
      if (fault) throw fault;
      if (isFinished) throw new ResetError();
      const most = Math.min(bytes.length, WINDOW - used, PIECE);
      const count = most > 1 ? Math.ceil(most * (0.5 + weather.random() / 2)) : most;
      used += count;
      dispatch(bytes.slice(0, count));
      return count;
    },
    async read(into) {
      while (arrived.length === 0 && !fault && !isAbandoned) {
        await new Promise<void>((resolve) => reader = resolve);
      }
      if (isAbandoned) throw new ResetError();
      const piece = arrived[0];
      if (piece === undefined) throw fault!;
      if (piece === null) return null;
      const count = Math.min(piece.length, into.length);
      into.set(piece.subarray(0, count));
      if (count === piece.length) arrived.shift();
      else arrived[0] = piece.subarray(count);
      release(count);
      return count;
    },
    finish() {
      if (isFinished) return;
      isFinished = true;
      dispatch(null);
      wake();
    },
    abandon() {
      isAbandoned = true;
      wake();
    },
    reset() {
      const tell = (host: number): void => {
        if (weather.isOpen(host === to ? "there" : "back")) fail();
        else weather.at(host, RETRY, () => tell(host));
      };
      for (const host of [to, from]) weather.at(host, weather.delay(0), () => tell(host));
    },
  };
}
