/**
 * The clock of timed programs: thread 0 writes the time into the memory, where the calling thread reads it when the program has run.
 * A message for every time was turned down: it would cost more than a small kernel takes.
 *
 * @module
 */

/** Writes the time as an f64, in milliseconds, to an address. */
export type Tick = (address: number | bigint) => void;

/** The function that timed programs import. It is sent to threads as source text: it must not refer to anything outside itself. */
export function openTick(memory: WebAssembly.Memory): Tick {
  // The buffer is asked for every time, as it is another once the memory has grown.
  return (address) => {
    const at = typeof address === "bigint" ? Number(address) : address >>> 0;
    new Float64Array(memory.buffer, at, 1)[0] = performance.now();
  };
}
