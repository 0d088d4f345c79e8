/**
 * Who forms a generation, as a value and as a line.
 *
 * @module
 */

/** A member: its name is used once in a job, even if its process is started again. */
export interface Seat {
  /** Letters, digits and `._-`. */
  readonly name: string;
  /** Where it listens. */
  readonly address: string;
}

/** A generation and its members, by rank. */
export interface Roster {
  /** From 1. */
  readonly generation: number;
  /** By rank. */
  readonly members: readonly Seat[];
}

const SEAT = /^([\w.-]{1,40})=((?:wss?|shm|mpi):\/\/[\w.:[\]-]{1,250})$/;

/** A seat as a word. */
export function seatText({ name, address }: Seat): string {
  return `${name}=${address}`;
}

/** Reads one; undefined if it is none. */
export function readSeat(text: string): Seat | undefined {
  const [, name, address] = SEAT.exec(text) ?? [];
  return name === undefined ? undefined : { name, address: address! };
}

/**
 * A roster as a word.
 *
 * @example
 * ```ts
 * import { rosterText } from "./roster.ts";
 * const members = [{ name: "a", address: "ws://127.0.0.1:4000" }];
 * console.log(rosterText({ generation: 3, members })); // 3:a=ws://127.0.0.1:4000
 * ```
 */
export function rosterText({ generation, members }: Roster): string {
  return `${generation}:${members.map(seatText).join(",")}`;
}

/** Reads one; undefined if it is none, or has a name twice. */
export function readRoster(text: string): Roster | undefined {
  const [, generation, list] = /^(\d{1,9}):(\S+)$/.exec(text) ?? [];
  const members = list?.split(",").map(readSeat);
  if (!members?.every((seat) => seat !== undefined)) return undefined;
  if (new Set(members.map(({ name }) => name)).size < members.length) return undefined;
  return { generation: Number(generation), members };
}

/** The rank of a name; -1 if it is not there. */
export function rankOf({ members }: Roster, name: string): number {
  return members.findIndex((seat) => seat.name === name);
}
