/**
 * How long processes of a run wait for each other.
 *
 * @module
 */

/** The others wait for the first while it evaluates and saves. Units: milliseconds. */
export const PATIENCE = 3_600_000;

/** A process of an elastic run that works without a turn of the event loop for so long is left out. Units: seconds. */
export const HEARTBEAT = 30;
