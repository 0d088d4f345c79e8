/**
 * What a server bears.
 *
 * @module
 */
import type { BatchLimits } from "../predict/batch.ts";

/** All limits of a server. What goes over one is refused before it costs more than reading it so far. */
export interface Limits {
  /** Of a request. */
  readonly bodyBytes: number;
  /** Texts of a request. */
  readonly rows: number;
  /** Texts that wait for the model, of all requests. */
  readonly queue: number;
  readonly batch: BatchLimits;
  /** How long the first of a batch waits for others. Units: milliseconds. */
  readonly waitMs: number;
  /** How long a request may take to arrive, and an answer to be taken. Units: milliseconds. */
  readonly clientMs: number;
  /** How long what is queued may take when the server is to end. Units: milliseconds. */
  readonly drainMs: number;
  /** Clients at once. */
  readonly connections: number;
}
