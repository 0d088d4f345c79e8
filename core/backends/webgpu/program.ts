/**
 * A compiled plan. A run is one encoder, one pass, one submission; bind groups are built once for the buffers that they
 * name, and those that name scratch alone are never built again.
 *
 * @module
 */
import type { Explanation, Program } from "../../device/device.ts";
import { sizeOf } from "../../graph/node.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Block, Memory } from "./buffers.ts";
import { checkAlive, type Faults } from "./faults.ts";
import { kernelLine, shadersOf } from "./kernel_shaders.ts";
import type { Compiled, CompileShader } from "./pipelines.ts";
import type { Shader, Target } from "./shader.ts";

/** What programs need of their device. */
export interface Host {
  readonly gpu: GPUDevice;
  readonly memory: Memory;
  readonly faults: Faults;
  readonly target: Target;
  readonly compileShader: CompileShader;
}

/** Bind groups that a step keeps; inputs and outputs alternate between few buffers. */
const keptGroups = 8;

interface Step {
  readonly shader: Shader;
  readonly compiled: Compiled;
  /** Slots whose buffers may change from run to run. */
  readonly changing: readonly number[];
  readonly groups: Map<string, GPUBindGroup>;
}

/** owns: scratch memory, until destroyed. */
class GpuProgram implements Program {
  readonly #host: Host;
  readonly #plan: Plan;
  readonly #steps: readonly Step[];
  readonly #scratch: readonly Block[];
  readonly #explanation: Explanation;
  #destroyed = false;

  constructor(host: Host, plan: Plan, planMs: number) {
    const start = performance.now();
    this.#host = host;
    this.#plan = plan;
    const steps: Step[] = [], lines: string[] = [];
    for (const k of plan.kernels) {
      const line = kernelLine(k);
      const shaders = shadersOf(k, (n) => plan.slotOf.get(n)!, host.target);
      for (const shader of shaders) {
        steps.push({
          shader,
          compiled: host.compileShader(shader, line),
          changing: shader.slots.filter((s) => plan.slots[s]!.role !== "scratch"),
          groups: new Map(),
        });
      }
      lines.push(`${line}; ${shaders.map((s) => s.style).join(", ")}`);
    }
    this.#steps = steps;
    const sizes: number[] = [];
    plan.slots.filter((s) => s.role === "scratch").forEach((s) => sizes[s.index] = s.elements);
    this.#scratch = host.memory.takeScratch(sizes);
    this.#explanation = {
      kernels: plan.kernels.length,
      scratchBytes: sizes.reduce((a, n) => a + 4 * n, 0),
      planMs,
      codegenMs: performance.now() - start,
      lines,
    };
  }

  run(inputs: readonly Block[], outputs: readonly Block[]): void {
    checkAlive(this.#host.faults);
    if (this.#destroyed) throw new TypeError("Cannot run this program: it was destroyed");
    const bound = this.#plan.slots.map((s) =>
      (s.role === "input" ? inputs : s.role === "output" ? outputs : this.#scratch)[s.index]!
    );
    const encoder = this.#host.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const step of this.#steps) {
      pass.setPipeline(step.compiled.pipeline);
      pass.setBindGroup(0, this.#groupOf(step, bound));
      pass.dispatchWorkgroups(...step.shader.groups);
    }
    pass.end();
    for (const { node, from, to } of this.#plan.copies) {
      const source = bound[from]!.buffer, target = bound[to]!.buffer;
      if (source !== target) {
        encoder.copyBufferToBuffer(source, 0, target, 0, 4 * sizeOf(node.shape));
      }
    }
    this.#host.gpu.queue.submit([encoder.finish()]);
  }

  explain(): Explanation {
    return this.#explanation;
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#host.memory.releaseScratch(this.#scratch);
    this.#steps.forEach((s) => s.groups.clear());
  }

  #groupOf(step: Step, bound: readonly Block[]): GPUBindGroup {
    let key = "";
    for (const slot of step.changing) key += `${bound[slot]!.id},`;
    const found = step.groups.get(key);
    if (found) return found;
    const made = this.#host.gpu.createBindGroup({
      layout: step.compiled.layout,
      entries: step.shader.slots.map((s, binding) => ({
        binding,
        resource: { buffer: bound[s]!.buffer },
      })),
    });
    if (step.groups.size >= keptGroups) step.groups.delete(step.groups.keys().next().value!);
    step.groups.set(key, made);
    return made;
  }
}

/** Compiles a plan. */
export function programOf(host: Host, plan: Plan, planMs = 0): Program {
  return new GpuProgram(host, plan, planMs);
}
