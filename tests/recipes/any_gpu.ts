/** The GPU of tests that train: any adapter, a software one too. */
import { type Device, DeviceError, webgpu } from "../../core/mod.ts";
import { skip } from "../skip.ts";

/** A GPU; undefined, and a skip of the suite, where there is no adapter at all. */
export async function gpuFor(suite: string): Promise<Device | undefined> {
  try {
    return await webgpu({ software: true });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    skip(`webgpu ${suite}`, "no WebGPU adapter, not even a software one");
    return undefined;
  }
}
