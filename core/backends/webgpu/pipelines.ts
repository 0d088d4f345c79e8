/**
 * Compiled shaders of a device, found again by their text: the same kernel in two programs is compiled once.
 *
 * @module
 */
import { type Faults, guarded } from "./faults.ts";
import type { Shader } from "./shader.ts";

/** A pipeline, and the layout that its bind groups must have. */
export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compiles or finds the pipeline of a shader. Its error, if it is refused, names `label`. */
export type CompileShader = (shader: Shader, label: string) => Compiled;

export function pipelineCache(gpu: GPUDevice, faults: Faults): CompileShader {
  const byText = new Map<string, Compiled>(), layouts = new Map<string, GPUBindGroupLayout>();
  // Explicit layouts: "auto" leaves out bindings that a shader does not use.
  const layoutOf = (writes: readonly boolean[]): GPUBindGroupLayout => {
    const key = writes.map(Number).join("");
    const found = layouts.get(key) ?? gpu.createBindGroupLayout({
      entries: writes.map((write, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: write ? "storage" : "read-only-storage" },
      })),
    });
    layouts.set(key, found);
    return found;
  };
  return (shader, label) => {
    const found = byText.get(shader.code);
    if (found) return found;
    const made = guarded(gpu, faults, label, () => {
      const layout = layoutOf(shader.writes);
      const module = gpu.createShaderModule({ label, code: shader.code });
      const pipeline = gpu.createComputePipeline({
        label,
        layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      });
      return { pipeline, layout };
    });
    byText.set(shader.code, made);
    return made;
  };
}
