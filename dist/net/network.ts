/**
 * Streams of bytes between processes: all that WebSockets need of TCP, TLS, or a simulation of them.
 *
 * @module
 */
import type { Clock } from "../clock.ts";

/** Bytes in order, both ways. */
export interface ByteStream {
  /** Reads some bytes, at least one; null at the end. Bytes may lie in shared memory. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, and says how many. Waits while the other side does not read. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. Reads and writes that wait are rejected, or come to an end. Twice is once. */
  close(): void;
}

/** Where to listen, or to connect to. */
export interface Place {
  /** A name or an address. */
  readonly hostname: string;
  /** To listen on: 0 is any that is free. */
  readonly port: number;
}

/** Where to listen, and for whom. */
export interface Door extends Place {
  /** Does everybody have to show who they are? If not, only this machine's own addresses are listened on. */
  readonly guarded?: boolean;
}

/** Waits for those who connect. */
export interface Listener extends Place {
  /**
   * The next one. Rejected once the listener is closed; before, a rejection is of one caller (who was gone again) or of one moment (in
   * which the process may open no more), and the next call may bring the next caller.
   */
  accept(): Promise<ByteStream>;
  /** Takes no more; what was accepted stays. */
  close(): void;
}

/** How to reach others. */
export interface Network {
  /** How addresses on it begin. */
  readonly scheme: "ws" | "wss" | "shm" | "mpi";
  /** Its time. */
  readonly clock: Clock;
  /** Waits for others. @throws DistError if it is no place to listen on */
  listen(door: Door): Listener;
  /** Reaches another. @throws DistError if there is no such place; "refused" if nobody listens there yet. */
  connect(place: Place): Promise<ByteStream>;
}
