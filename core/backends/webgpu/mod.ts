/**
 * The WebGPU backend: WGSL through the WebGPU of Deno or of a browser.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import type { Device } from "../../device/device.ts";
import { deviceOf, nameOf } from "./adapter.ts";
import { WebGpuDevice } from "./device.ts";
import { probeSubgroups } from "./subgroups.ts";

/** How a GPU is opened. */
export interface WebGpuOptions {
  /** Accept an adapter that runs on the CPU. It is slower than the cpu device; it serves to test. */
  readonly software?: boolean;
}

/** Names of adapters that are programs; not all of them say so by `isFallbackAdapter`. */
const softwareNames = /llvmpipe|lavapipe|swiftshader|softpipe|basic render|warp/i;

/** Most storage buffers that fusion may use; every real adapter has this many or nearly so. */
const mostBindings = 10;

/**
 * Opens a GPU.
 *
 * @throws {DeviceError} If there is none, or only a software adapter and `software` is not set.
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<Device> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new DeviceError(
      "Cannot open webgpu: this machine has no WebGPU adapter; use the cpu device",
      "absent",
    );
  }
  const { info } = adapter, name = nameOf(info);
  const software = info.isFallbackAdapter || softwareNames.test(name);
  if (software && !options.software) {
    throw new DeviceError(
      `Cannot open webgpu: ${name} is a software adapter; use the cpu device, or force webgpu to accept it`,
      "absent",
    );
  }
  const device = await deviceOf(adapter).catch((cause) => {
    throw new DeviceError(`Cannot open webgpu: ${name} gives no device`, "absent", { cause });
  });
  const subgroups = device.features.has("subgroups") && await probeSubgroups(device, info);
  const bindings = Math.min(device.limits.maxStorageBuffersPerShaderStage, mostBindings);
  return new WebGpuDevice(device, software ? `${name} (software)` : name, {
    software,
    bindings,
    ...subgroups && { subgroups },
  });
}
