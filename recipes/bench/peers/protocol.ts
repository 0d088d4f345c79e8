/**
 * What is said between the bench and a peer's process: a JSON object a line, one answer for each request. The first line comes from
 * the peer: its name and version, or why it cannot take part.
 *
 * @module
 */
import type { Task } from "../bench_case.ts";

/** What a peer is asked. One task is open at a time. */
export type Request =
  | { readonly do: "open"; readonly task: Task }
  | { readonly do: "values"; readonly at: readonly number[] }
  | { readonly do: "time"; readonly times: number };

/** What it answers; a value that is no finite number comes as null. */
export interface Answer {
  readonly values?: readonly (number | null)[];
  readonly seconds?: number;
  /** To "open": its name with the setting that was best, where it has settings. */
  readonly name?: string;
  /** The request failed, and why. */
  readonly error?: string;
}

/** Its first line. */
export interface Greeting {
  readonly ready?: string;
  readonly absent?: string;
}
