/**
 * Devices by name: what `--device` means everywhere.
 *
 * @module
 */
import type { Device, DeviceKind } from "./device.ts";
import { DeviceError } from "./error.ts";

/**
 * Opens a device. `auto` takes a real GPU, else the CPU; the device's description says which. `webgpu` takes a software adapter too.
 *
 * @throws {DeviceError} If `webgpu` is asked for and there is no adapter.
 */
export async function openDevice(kind: "auto" | DeviceKind = "auto"): Promise<Device> {
  switch (kind) {
    case "reference": {
      const { reference } = await import("../backends/reference/mod.ts");
      return reference();
    }
    case "cpu": {
      const { defaultCpu } = await import("../backends/cpu/mod.ts");
      return defaultCpu();
    }
    case "webgpu": {
      const { webgpu } = await import("../backends/webgpu/mod.ts");
      return await webgpu({ software: true });
    }
    case "auto": {
      const { webgpu } = await import("../backends/webgpu/mod.ts");
      try {
        return await webgpu();
      } catch (error) {
        if (error instanceof DeviceError && error.failure === "absent") return openDevice("cpu");
        throw error;
      }
    }
  }
}
