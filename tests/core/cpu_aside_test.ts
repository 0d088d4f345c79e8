/** A device whose one thread is not the calling one: wherever it is asked for, and said where it cannot be had. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { createDevice } from "../../core/backends/cpu/device.ts";
import { openDevice } from "../../core/device/open.ts";

/** Runs a test while an object has another property. */
async function withOwn(
  object: object,
  name: string,
  value: unknown,
  test: () => Promise<void> | void,
): Promise<void> {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value, configurable: true });
  try {
    await test();
  } finally {
    if (before) Object.defineProperty(object, name, before);
    else Reflect.deleteProperty(object, name);
  }
}

const ASIDE = "1 thread beside the calling one";

Deno.test("cpu device: on a machine of one core, aside is another thread, however the device is opened", () =>
  withOwn(navigator, "hardwareConcurrency", 1, async () => {
    const here = cpu();
    assert(!here.description.includes(ASIDE), here.description);
    const devices = [
      cpu({ aside: true }),
      await openDevice("cpu", { aside: true }),
      await openDevice("cpu", { aside: true, threads: 1 }),
    ];
    for (const device of devices) assertStringIncludes(device.description, ASIDE);
    for (const device of [here, ...devices]) device.destroy();
  }));

Deno.test("cpu device: where there can be no thread aside, the description says so", () =>
  withOwn(globalThis, "process", undefined, () => {
    for (const [threads, aside, why] of [[1, true, true], [2, false, true], [1, false, false]]) {
      const device = createDevice(threads as number, { aside: aside as boolean });
      const is = device.description.includes("(no shared memory or no worker threads here)");
      assertEquals(is, why, device.description);
      device.destroy();
    }
  }));
