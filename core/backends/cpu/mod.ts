/**
 * The cpu backend: WebAssembly SIMD generated here, on as many threads as the machine has.
 *
 * @module
 */
import type { Device } from "../../device/device.ts";
import { findBlas } from "./blas.ts";
import { createDevice } from "./device.ts";
import { type MemorySize, PAGES } from "./memory.ts";

/** Threads beyond this many wait for memory and for each other. */
const MOST_THREADS = 16;

export type { MemorySize } from "./memory.ts";

let shared: Device | undefined;

/** The device that everything without another one runs on. Its threads start with the first large program. */
export function defaultCpu(): Device {
  return shared ??= cpu();
}

/** What `cpu` may be told. */
export interface CpuOptions {
  /** How many threads run programs; one for each of the machine's cores if not said. */
  readonly threads?: number | "auto";
  /**
   * The calling thread's event loop goes on while large programs run: where there is one thread alone, it is another one. With several it
   * is so anyway. No, if not said.
   */
  readonly aside?: boolean;
  /** What the memory may grow to; 4 GiB if not said. */
  readonly memory?: MemorySize;
  /**
   * What does products of f32: "auto", the system's OpenBLAS or Accelerate if it is there and FFI is allowed; "off"; or a library's
   * path. `description` says which it is.
   */
  readonly blas?: string;
}

/**
 * A cpu device of its own, with its own memory and threads. With one thread, unless it is aside, everything runs on the calling one; else small programs
 * run there, those of about a millisecond there and on the pool's threads at once, and all others on the pool alone. Its memory grows to
 * 4 GiB, or to 16 GiB with 64-bit addresses, whose bounds are checked at every access: products hardly notice, plain maps may.
 *
 * Numerical notes: results do not depend on the number of threads, but for products by a BLAS, which promises no order of sums. All
 * others run in a fixed order, four lanes at a time; where the engine has fused multiply-add, a product and a sum are rounded once.
 *
 * @throws {RangeError} If `threads` is no positive whole number, or `memory` no size of the list
 * @throws {DeviceError} If the engine has no 64-bit addresses and they are asked for
 */
export function cpu(options: CpuOptions = {}): Device {
  const { threads = "auto", memory = "4GiB" } = options;
  if (!Object.hasOwn(PAGES, memory)) {
    const sizes = Object.keys(PAGES).map((s) => `"${s}"`).join(" or ");
    throw new RangeError(`Cannot make a cpu device with a memory of "${memory}": it is ${sizes}`);
  }
  const blas = findBlas(options.blas ?? "auto");
  if (threads === "auto") {
    const all = Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1);
    return createDevice(all, { memory, blas, aside: options.aside });
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(
      `Cannot run on ${threads} threads: it must be a whole number from 1, or "auto"`,
    );
  }
  return createDevice(threads, { memory, blas, aside: options.aside });
}
