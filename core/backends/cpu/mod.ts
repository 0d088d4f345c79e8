/**
 * The cpu backend: WebAssembly SIMD generated here, on as many threads as the machine has.
 *
 * @module
 */
import type { Device } from "../../device/device.ts";
import { createDevice } from "./device.ts";

/** Threads beyond this many wait for memory and for each other. */
const MOST_THREADS = 16;

let shared: Device | undefined;

/** The device that everything without another one runs on. Its threads start with the first large program. */
export function defaultCpu(): Device {
  return shared ??= cpu();
}

/**
 * A cpu device of its own, with its own memory (at most 4 GiB) and threads. With one thread everything runs on the calling one.
 *
 * Numerical notes: results do not depend on the number of threads. Sums run in a fixed order, four lanes at a time; where the engine
 * has fused multiply-add, a product and a sum are rounded once.
 *
 * @throws {RangeError} If `threads` is no positive whole number
 */
export function cpu(options: { readonly threads?: number | "auto" } = {}): Device {
  const { threads = "auto" } = options;
  if (threads === "auto") {
    return createDevice(Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1));
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(
      `Cannot run on ${threads} threads: it must be a whole number from 1, or "auto"`,
    );
  }
  return createDevice(threads);
}
