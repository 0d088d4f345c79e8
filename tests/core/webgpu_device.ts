/**
 * The one GPU device of a test process: lavapipe leaks some memory a device. Two backends share it, one that chooses kernels as for
 * a software adapter and one as for a real GPU, so that both families are tested wherever there is any adapter.
 */
import type { Graph } from "../../core/device/device.ts";
import { type DType, fromHost, toHost } from "../../core/dtype.ts";
import { sizeOf } from "../../core/graph/node.ts";
import type { Plan } from "../../core/plan/plan.ts";
import { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { deviceOf } from "../../core/backends/webgpu/adapter.ts";
import { halvesOf } from "../../core/backends/webgpu/half_probe.ts";
import { probeSubgroups } from "../../core/backends/webgpu/subgroups.ts";
import { skip } from "../skip.ts";

const adapter = await navigator.gpu?.requestAdapter();
/** The device, if there is any adapter. */
export const gpu = adapter && await deviceOf(adapter);
/** Its subgroups, if they can be relied on. */
export const subgroups = gpu?.features.has("subgroups") && await probeSubgroups(gpu, adapter!.info);

/** Its types of two bytes. */
export const halves = gpu && await halvesOf(gpu);

/** A backend and how it chooses its kernels. */
export interface Family {
  readonly name: string;
  readonly device: WebGpuDevice;
}

/** The kernels for software adapters and for real GPUs, on whatever adapter there is, with at most so many bytes of a buffer bound. */
export function familiesWithin(bindingBytes: number): readonly Family[] {
  if (!gpu) return [];
  return ["software", "gpu"].map((name) => ({
    name,
    device: new WebGpuDevice(gpu, adapter!.info.description, {
      software: name === "software",
      bindings: 8,
      scoreBytes: 0,
      bindingBytes,
      ...subgroups && { subgroups },
      ...halves,
      roundsF16: name === "gpu" && halves!.roundsF16!,
    }),
  }));
}

/** Those that bind as much as every adapter allows. */
export const families: readonly Family[] = familiesWithin(2 ** 27);

/** Registers a test for each family, or one skip for the suite. */
export function webgpuTest(
  suite: string,
  name: string,
  body: (device: WebGpuDevice) => Promise<void>,
): void {
  if (!gpu) {
    skip(`webgpu ${suite}`, "no WebGPU adapter, not even a software one");
    return;
  }
  for (const family of families) {
    Deno.test(`webgpu ${suite}: ${name} (${family.name} kernels)`, () => body(family.device));
  }
}

/** Registers a test that needs one device only. */
export function webgpuTestOnce(
  suite: string,
  name: string,
  body: (device: WebGpuDevice, gpu: GPUDevice) => Promise<void>,
): void {
  if (!gpu) skip(`webgpu ${suite}`, "no WebGPU adapter, not even a software one");
  else Deno.test(`webgpu ${suite}: ${name}`, () => body(families[0]!.device, gpu));
}

/** Runs a planned graph on plain numbers; scratch, outputs and compiled parts are freed. */
export async function runPlan(
  device: WebGpuDevice,
  graph: Graph,
  plan: Plan,
  inputs: readonly ArrayLike<number>[],
): Promise<ArrayLike<number>[]> {
  const program = device.compilePlan(plan);
  const bound = graph.inputs.map((n, i) => {
    const storage = device.allocate(sizeOf(n.shape), n.dtype);
    device.write(storage, toHost(inputs[i]!, n.dtype), n.dtype);
    return storage;
  });
  const outputs = graph.outputs.map((n, i) => {
    const donor = graph.donations.get(i);
    return donor === undefined ? device.allocate(sizeOf(n.shape), n.dtype) : bound[donor]!;
  });
  program.run(bound, outputs);
  const read = (n: { readonly dtype: DType; readonly shape: readonly number[] }, i: number) =>
    device.read(outputs[i]!, sizeOf(n.shape), n.dtype);
  const results = await Promise.all(graph.outputs.map(read));
  program.destroy();
  new Set([...bound, ...outputs]).forEach((s) => device.free(s));
  return results.map((r, i) => fromHost(r, graph.outputs[i]!.dtype));
}
