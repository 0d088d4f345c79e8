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
      const all = parts.flatMap((part) => part.length === 0 ? [] : [part]);
      return at.map((place) => {
        let rest = place;
        for (const part of all) {
          if (rest < part.length) return part[rest]!;
          rest -= part.length;
        }
        return NaN;
      });
    },
    close() {
      dispose(results);
      dispose(given);
    },
  };
}
