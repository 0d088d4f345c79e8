import { assertEquals } from "@std/assert";
import { cpu, read, size } from "../../core/mod.ts";
import { constant, init, normal, repeat } from "../../nn/mod.ts";

Deno.test("init draws on a device what it draws on the default one", async () => {
  const device = cpu({ memory: "16GiB" });
  const w = normal([size("A", 3), size("B", 5)], 0.02);
  const specs = { layers: repeat(2, { w }), gain: constant([4], 1) };
  const here = init(7, specs), there = init(7, specs, device);
  assertEquals(device.usage().bytes > 0, true);
  for (const i of [0, 1]) {
    assertEquals(await read(there.layers[i]!.w), await read(here.layers[i]!.w));
  }
  assertEquals(await read(there.gain), await read(here.gain));
  device.destroy();
});
