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
  cpu: () => Promise.resolve(cpu({ blas: "off" })),
  "cpu+blas"() {
    // The library is to choose its kernels for this machine by itself, as it does in the peers' processes.
    for (const name of Object.keys(Deno.env.toObject())) {
      if (name.startsWith("OPENBLAS_")) Deno.env.delete(name);
    }
    const device = cpu({ blas: "auto" });
    const found = /blas|accelerate/i.test(device.description);
    return Promise.resolve(found ? device : "no OpenBLAS or Accelerate is installed here");
  },
  async webgpu() {
    try {
      return await webgpu({ software: true });
    } catch (error) {
      if (error instanceof DeviceError && error.failure === "absent") return error.message;
      throw error;
    }
  },
};
