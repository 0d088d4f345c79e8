/** The laws on a device that binds a few numbers of a buffer, so that most tensors over it are touched in parts. */
import { assert } from "@std/assert";
import { relativeAttentionLaw } from "../../core/ops/attention.ts";
import type { Device } from "../../core/device/device.ts";
import { skip } from "../skip.ts";
import { hold } from "./laws/hold.ts";
import { loadLaws } from "./laws/load.ts";
import { familiesWithin, gpu } from "./webgpu_device.ts";

/** The cases are few, and small: most of a case is compiling shaders. */
const RUNS = 2;

/** The device, counting what it runs in parts. */
function counted(device: Device, count: { slices: number }): Device {
  const compile = device.compile.bind(device);
  device.compile = (graph) => {
    const program = compile(graph);
    count.slices += program.explain().lines.filter((l) => l.includes(" slices;")).length;
    return program;
  };
  return device;
}

if (!gpu) skip("webgpu split laws", "no WebGPU adapter, not even a software one");
else {
  const [tiny, small] = [256, 512].map((bytes) => familiesWithin(bytes)[0]!.device);
  const count = { slices: 0 }, device = counted(tiny!, count);
  for (const [file, law] of await loadLaws()) {
    // A row of its scores is more than 256 bytes.
    const own = law === relativeAttentionLaw ? small! : device;
    Deno.test(`laws: ${law.law} (${file}) on webgpu in parts`, () => hold(law, RUNS, own));
  }
  Deno.test("laws on webgpu in parts: many kernels were", () => assert(count.slices > 200));
}
