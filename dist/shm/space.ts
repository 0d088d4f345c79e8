/**
 * Memory that threads of one process exchange bytes through: a word for every host that says whether it listens, and so many
 * connections of two rings each.
 *
 * @module
 */

/** How much room there is. */
export interface SharedSpaceOptions {
  /** Threads, numbered from 0. */
  readonly hosts: number;
  /** Connections at a time; 6 for every pair of hosts if left out: three lanes, both ways. */
  readonly connections?: number;
  /** Bytes that may be under way in each direction, a power of two; 1 MiB if left out. */
  readonly window?: number;
}

/** Shared memory with its measures: may be posted to other threads. */
export interface SharedSpace {
  /** All of it. */
  readonly buffer: SharedArrayBuffer;
  /** Threads. */
  readonly hosts: number;
  /** Connections at a time. */
  readonly connections: number;
  /** Bytes under way in each direction. */
  readonly window: number;
}

/** Words of a host: whether it listens, and a count of those who have rung. */
export const HOST = { words: 2, listens: 0, bell: 1 } as const;

/** Words before a connection's rings: its state, the host that is called, and sides that have closed. */
export const CONNECTION = { words: 4, state: 0, called: 1, closed: 2 } as const;

/** States of a connection. */
export const STATE = { free: 0, claimed: 1, calling: 2, taken: 3 } as const;

/**
 * Words of a ring, each pair in a cache line of its own: bytes written and a count of changes that its reader waits for; bytes read and
 * one that its writer waits for; whether either side has ended it. Between processes: whether a side sleeps.
 */
export const RING = {
  words: 48,
  written: 0,
  toReader: 1,
  read: 16,
  toWriter: 17,
  finished: 32,
  abandoned: 33,
  readerSleeps: 34,
  writerSleeps: 35,
} as const;

/**
 * Room for threads to connect.
 *
 * @throws RangeError if the window is no power of two
 */
export function createSharedSpace(options: SharedSpaceOptions): SharedSpace {
  const { hosts, connections = Math.max(6, 3 * hosts * (hosts - 1)), window = 1 << 20 } = options;
  if (!(window >= 1024 && window <= 1 << 30) || (window & (window - 1)) !== 0) {
    throw new RangeError(
      `Cannot share a window of ${window} bytes: it must be a power of two from 1024 to 2^30`,
    );
  }
  const space = { hosts, connections, window };
  const bytes = placesOf(space).end;
  return { ...space, buffer: new SharedArrayBuffer(bytes) };
}

/** Where things are. Units: bytes. */
export interface Places {
  readonly connection: (index: number) => number;
  /** Ring 0 goes from the caller to the called. */
  readonly ring: (index: number, direction: 0 | 1) => number;
  readonly bytes: (index: number, direction: 0 | 1) => number;
  readonly end: number;
}

/** Where things are in such a space. */
export function placesOf(
  { hosts, connections, window }: Omit<SharedSpace, "buffer">,
): Places {
  const line = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  const ring = 4 * RING.words, head = line(4 * CONNECTION.words);
  const stride = head + 2 * (ring + window), first = line(4 * HOST.words * hosts);
  const connection = (index: number): number => first + index * stride;
  return {
    connection,
    ring: (index, direction) => connection(index) + head + direction * (ring + window),
    bytes: (index, direction) => connection(index) + head + direction * (ring + window) + ring,
    end: first + connections * stride,
  };
}
