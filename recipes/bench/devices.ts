/**
 * The devices that are measured: the one place that knows how each is opened.
 *
 * @module
 */
import { cpu } from "../../core/backends/cpu/mod.ts";
import { webgpu } from "../../core/backends/webgpu/mod.ts";
import type { Device } from "../../core/device/device.ts";
import { DeviceError } from "../../core/device/error.ts";
import { type BenchDevice, benchDeviceNames } from "./row.ts";

/** A device, or why there is none. */
export type Opened =
  | { readonly name: BenchDevice; readonly device: Device }
  | { readonly name: BenchDevice; readonly device?: undefined; readonly reason: string };

/** Opens the devices that a `--device` means. */
export async function benchDevices(wanted: BenchDevice | "all"): Promise<readonly Opened[]> {
  const names = benchDeviceNames.filter((name) => wanted === "all" || wanted === name);
  return await Promise.all(names.map(async (name): Promise<Opened> => {
    const device = await open[name]();
    return typeof device === "string" ? { name, reason: device } : { name, device };
  }));
}

const open: Readonly<Record<BenchDevice, () => Promise<Device | string>>> = {
  cpu: () => Promise.resolve(cpu()),
  "cpu+blas": () => Promise.resolve("the cpu device cannot use a BLAS yet: not built"),
  async webgpu() {
    try {
      return await webgpu({ software: true });
    } catch (error) {
      if (error instanceof DeviceError && error.failure === "absent") return error.message;
      throw error;
    }
  },
};
