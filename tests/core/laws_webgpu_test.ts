import { DeviceError } from "../../core/device/error.ts";
import { webgpu } from "../../core/backends/webgpu/mod.ts";
import type { Device } from "../../core/device/device.ts";
import { skip } from "../skip.ts";
import { hold } from "./laws/hold.ts";
import { loadLaws } from "./laws/load.ts";

/** Shaders take long to compile on a software adapter, so the cases are few. */
const RUNS = 3;

async function adapter(): Promise<Device | undefined> {
  try {
    return await webgpu({ software: true });
  } catch (error) {
    if (error instanceof DeviceError) return undefined;
    throw error;
  }
}

const device = await adapter();
if (!device) skip("webgpu laws", "no WebGPU adapter, not even a software one");
else {
  for (const [file, law] of await loadLaws()) {
    Deno.test(`laws: ${law.law} (${file}) on webgpu`, () => hold(law, RUNS, device));
  }
}
