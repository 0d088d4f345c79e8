/**
 * The WebGPU backend: WGSL through the WebGPU of Deno or of a browser. Tensors over the adapter's binding limit are computed in
 * slices; split_kernel.ts tells how.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import type { Device } from "../../device/device.ts";
import { deviceOf, nameOf } from "./adapter.ts";
import { defaultChoiceFile, deviceKey, loadChoices } from "./choice_file.ts";
import { Choices } from "./choices.ts";
import { WebGpuDevice } from "./device.ts";
import { halvesOf } from "./half_probe.ts";
import { probeSubgroups } from "./subgroups.ts";
import type { Keeping } from "./tuner.ts";
import { WINDOW_STEP } from "./windows.ts";

/** How a GPU is opened. */
export interface WebGpuOptions {
  /** Accept an adapter that runs on the CPU. It is slower than the cpu device; it serves to test. */
  readonly software?: boolean;
  /**
   * Search for the fastest kernel of every class of matrix product, on this device. A search takes seconds, follows the first
   * read or `synchronize` after a compilation, and its result is kept in a file. Off, a good default is taken.
   */
  readonly tune?: boolean | TuneOptions;
}

/** Where the results of a search are kept, and who is told. */
export interface TuneOptions {
  /** A JSON file; by default `motian/matmul.json` in the user's cache folder. */
  readonly file?: string;
  /** Is given a line if the file cannot be used, which is not fatal; by default a warning on the console. */
  readonly report?: (line: string) => void;
}

/** Names of adapters that are programs; not all of them say so by `isFallbackAdapter`. */
const softwareNames = /llvmpipe|lavapipe|swiftshader|softpipe|basic render|warp/i;

/** From so many bytes of scores on, attention is computed by its kernels; core/backends/webgpu/attention.ts tells why. */
const scoreBytes = 4 * 2 ** 20;

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
  const { halves, roundsF16 } = await halvesOf(device);
  // Programs convert to f16 by many instructions, more than rounding takes.
  const f16 = { halves, roundsF16: roundsF16 && !software };
  const bindingBytes = bindingBytesOf(device);
  const target = {
    software,
    bindings,
    scoreBytes,
    bindingBytes,
    ...subgroups && { subgroups },
    ...f16,
  };
  const keeping = options.tune
    ? keepingOf(options.tune === true ? {} : options.tune, info)
    : undefined;
  const { file, key = "", report = () => {} } = keeping ?? {};
  const known = file === undefined ? undefined : await loadChoices(file, key, report);
  const title = software ? `${name} (software)` : name;
  return new WebGpuDevice(device, title, target, new Choices(target, known), keeping);
}

/** Most bytes that a shader binds: whole steps of a window. */
function bindingBytesOf({ limits }: GPUDevice): number {
  return WINDOW_STEP * Math.floor(limits.maxStorageBufferBindingSize / WINDOW_STEP);
}

function keepingOf(options: TuneOptions, info: GPUAdapterInfo): Keeping {
  const { report = (line): void => console.warn(line) } = options, key = deviceKey(info);
  try {
    return { file: options.file ?? defaultChoiceFile(), key, report };
  } catch (error) {
    report(`Cannot keep what the search finds: ${(error as Error).message}`);
    return { file: undefined, key, report };
  }
}
