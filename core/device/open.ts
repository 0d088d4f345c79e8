/**
 * Devices by name: what `--device` means everywhere.
 *
 * @module
 */
import type { Device, DeviceKind } from "./device.ts";
import { DeviceError } from "./error.ts";
import type { CpuOptions } from "../backends/cpu/mod.ts";
import type { WebGpuOptions } from "../backends/webgpu/mod.ts";

/** How a device is opened, where the kind that it turns out to be has such a choice. */
export type OpenOptions = Pick<WebGpuOptions, "tune"> & Pick<CpuOptions, "threads" | "aside">;

/**
 * Opens a device. `auto` takes a real GPU, else the CPU; the device's description says which. `webgpu` takes a software adapter too.
 *
 * @throws {DeviceError} If `webgpu` is asked for and there is no adapter.
 */
export async function openDevice(
  kind: "auto" | DeviceKind = "auto",
  options: OpenOptions = {},
): Promise<Device> {
  switch (kind) {
    case "reference": {
      const { reference } = await import("../backends/reference/mod.ts");
      return reference();
    }
    case "cpu": {
      const { cpu, defaultCpu } = await import("../backends/cpu/mod.ts");
      const { threads, aside = false } = options;
      if (threads === undefined && !aside) return defaultCpu();
      return cpu({ aside, ...threads !== undefined && { threads } });
    }
    case "webgpu": {
      const { webgpu } = await import("../backends/webgpu/mod.ts");
      return await webgpu({ ...options, software: true });
    }
    case "auto": {
      const { webgpu } = await import("../backends/webgpu/mod.ts");
      try {
        return await webgpu(options);
      } catch (error) {
        if (error instanceof DeviceError && error.failure === "absent") {
          return openDevice("cpu", options);
        }
        throw error;
      }
    }
  }
}
