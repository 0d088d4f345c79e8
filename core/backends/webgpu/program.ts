/**
 * A compiled plan. A run is one encoder, one pass, one submission; bind groups are built once for the buffers that they
 * name, and looked up again only where a buffer is another than in the run before.
 *
 * @module
 */
import type { KernelTime, Program, ProgramFigures } from "../../device/device.ts";
import { explainPlan } from "../../plan/explain.ts";
import { type Plan, wordsOf } from "../../plan/plan.ts";
import type { Block, Memory } from "./buffers.ts";
import type { Choices } from "./choices.ts";
import { checkAlive, type Faults } from "./faults.ts";
import type { CompileShader } from "./pipelines.ts";
import { groupOf, scratchSizes, type Step, stepsOf } from "./steps.ts";
import type { Target } from "./shader.ts";
import { timestamps } from "./timestamps.ts";

/** What programs need of their device. */
export interface Host {
  readonly gpu: GPUDevice;
  readonly memory: Memory;
  readonly faults: Faults;
  readonly target: Target;
  readonly choices: Choices;
  readonly compileShader: CompileShader;
}

/** owns: scratch memory, until destroyed. */
class GpuProgram implements Program {
  /** Absent where the adapter has no clock. */
  readonly profile?: NonNullable<Program["profile"]>;
  readonly #host: Host;
  readonly #plan: Plan;
  readonly #planMs: number;
  #steps: readonly Step[] = [];
  #scratch: readonly Block[] = [];
  #made!: Pick<ProgramFigures, "scratchBytes" | "codegenMs" | "lines">;
  #version = -1;
  #last: readonly Block[] = [];
  #destroyed = false;

  constructor(host: Host, plan: Plan, planMs: number) {
    this.#host = host;
    this.#plan = plan;
    this.#planMs = planMs;
    if (host.gpu.features.has("timestamp-query")) {
      this.profile = (inputs, outputs) =>
        this.#profile(inputs as readonly Block[], outputs as readonly Block[]);
    }
    this.#make();
  }

  run(inputs: readonly Block[], outputs: readonly Block[]): void {
    const bound = this.#bind(inputs, outputs), { gpu } = this.#host;
    const encoder = gpu.createCommandEncoder(), pass = encoder.beginComputePass();
    let pipeline: GPUComputePipeline | undefined;
    for (const step of this.#steps) {
      dispatch(pass, step, pipeline);
      pipeline = step.compiled.pipeline;
    }
    pass.end();
    this.#copy(encoder, bound);
    gpu.queue.submit([encoder.finish()]);
  }

  async #profile(inputs: readonly Block[], outputs: readonly Block[]): Promise<KernelTime[]> {
    const bound = this.#bind(inputs, outputs), { gpu, faults } = this.#host;
    const clock = timestamps(gpu, faults, this.#steps.length);
    const encoder = gpu.createCommandEncoder();
    this.#steps.forEach((step, i) => {
      const pass = encoder.beginComputePass({ timestampWrites: clock.writes(i) });
      dispatch(pass, step);
      pass.end();
    });
    this.#copy(encoder, bound);
    const spans = clock.read(encoder);
    gpu.queue.submit([encoder.finish()]);
    return (await spans()).map(({ startUs, endUs }, i) => ({
      kernel: this.#steps[i]!.kernel,
      startUs,
      endUs,
    }));
  }

  explain(): ProgramFigures {
    this.#refresh();
    return {
      ...explainPlan(this.#plan, this.#host.target.halves),
      planMs: this.#planMs,
      ...this.#made,
    };
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#host.memory.releaseScratch(this.#scratch);
    this.#steps = [];
  }

  #make(): void {
    const start = performance.now(), host = this.#host, plan = this.#plan;
    const { steps, lines } = stepsOf(host, plan), sizes = scratchSizes(host, plan);
    host.memory.releaseScratch(this.#scratch);
    this.#scratch = host.memory.takeScratch(sizes);
    this.#steps = steps;
    this.#version = host.choices.version;
    this.#last = [];
    this.#made = {
      scratchBytes: sizes.reduce((a, n) => a + 4 * n, 0),
      codegenMs: performance.now() - start,
      lines,
    };
  }

  /** Takes over what a search found since the steps were made. */
  #refresh(): void {
    if (!this.#destroyed && this.#version !== this.#host.choices.version) this.#make();
  }

  /** The buffer of every slot; the groups of all steps are those of these buffers afterwards. */
  #bind(inputs: readonly Block[], outputs: readonly Block[]): Block[] {
    checkAlive(this.#host.faults);
    if (this.#destroyed) throw new TypeError("Cannot run this program: it was destroyed");
    this.#refresh();
    const { slots } = this.#plan;
    const bound = slots.map((s) =>
      (s.role === "input" ? inputs : s.role === "output" ? outputs : this.#scratch)[s.index]!
    );
    const scratch = slots.filter((s) => s.role === "scratch").length;
    if (this.#scratch.length > scratch) bound.push(this.#scratch[scratch]!);
    const changed = bound.map((b, slot) => b !== this.#last[slot]);
    for (const step of this.#steps) {
      if (!step.current || step.changing.some((slot) => changed[slot])) {
        step.current = groupOf(this.#host.gpu, step, bound);
      }
    }
    this.#last = bound;
    return bound;
  }

  #copy(encoder: GPUCommandEncoder, bound: readonly Block[]): void {
    for (const { node, from, to } of this.#plan.copies) {
      const source = bound[from]!.buffer, target = bound[to]!.buffer;
      if (source !== target) {
        const words = wordsOf(node, this.#host.target.halves);
        encoder.copyBufferToBuffer(source, 0, target, 0, 4 * words);
      }
    }
  }
}

/** Encodes one dispatch; `set` is the pipeline that the pass has already. */
function dispatch(
  pass: GPUComputePassEncoder,
  { shader, compiled, current }: Step,
  set?: GPUComputePipeline,
): void {
  const [x, y, z] = shader.groups;
  if (compiled.pipeline !== set) pass.setPipeline(compiled.pipeline);
  pass.setBindGroup(0, current!);
  pass.dispatchWorkgroups(x, y, z);
}

/** Compiles a plan. */
export function programOf(host: Host, plan: Plan, planMs = 0): Program {
  return new GpuProgram(host, plan, planMs);
}
