/**
 * Our side: a function compiled for a device, run on inputs that are already there.
 *
 * @module
 */
import { type AnyTensor, type Device, dispose, jit, read, toDevice } from "../../core/mod.ts";
import type { Runner } from "./bench_case.ts";

/** Our function on a device. */
export async function ourRunner(
  device: Device,
  f: (...inputs: readonly AnyTensor[]) => readonly AnyTensor[],
  inputs: readonly AnyTensor[],
): Promise<Runner> {
  const call = jit(f, { device }), given = await toDevice(inputs, device);
  let results: readonly AnyTensor[] = [];
  const again = (): void => {
    dispose(results);
    results = call(...given);
  };
  return {
    async time(times) {
      const start = performance.now();
      for (let i = 0; i < times; i++) again();
      await device.synchronize();
      return (performance.now() - start) / 1000;
    },
    async values(at) {
      again();
      const parts = await Promise.all(results.map((x) => read(x)));
      return at.map((place) => elementOf(parts, place));
    },
    bytes() {
      const { scratchBytes, threadBytes = 0 } = call.explain(...given);
      return scratchBytes + threadBytes;
    },
    close() {
      dispose(results);
      dispose(given);
    },
  };
}

/** One element of arrays in a row. */
export function elementOf(parts: readonly ArrayLike<number>[], place: number): number {
  for (const part of parts) {
    if (place < part.length) return part[place]!;
    place -= part.length;
  }
  return NaN;
}
