/**
 * WebGPU as a device.
 *
 * @module
 */
import type { DType, HostArray } from "../../dtype.ts";
import type { Device, Graph, Program, Storage } from "../../device/device.ts";
import type { Planner } from "../../device/planner.ts";
import type { FusedKernel } from "../../graph/fused_kernel.ts";
import { makePlan } from "../../plan/make_plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { attentionRefusal } from "./attention.ts";
import { type Block, Memory } from "./buffers.ts";
import { Choices } from "./choices.ts";
import { checkAlive, checkFaults, type Faults, faultsOf, guarded } from "./faults.ts";
import { fromWords, toWords } from "./host_words.ts";
import { pipelineCache } from "./pipelines.ts";
import { plannerOf } from "./planner.ts";
import { type Host, programOf } from "./program.ts";
import type { Target } from "./shader.ts";
import { unfitKernels } from "./split_kernel.ts";
import { type Keeping, type Tune, tuner } from "./tuner.ts";

/** owns: a GPUDevice with its buffers. */
export class WebGpuDevice implements Device {
  readonly kind = "webgpu";
  readonly description: string;
  readonly planner: Planner;
  readonly #host: Host;

  readonly #tune: Tune | undefined;

  /** `keeping` turns the search on. */
  constructor(
    gpu: GPUDevice,
    adapter: string,
    target: Target,
    choices: Choices = new Choices(target),
    keeping?: Keeping,
  ) {
    const faults = faultsOf(gpu, adapter);
    this.description = `webgpu on ${adapter}`;
    this.#host = {
      gpu,
      faults,
      target,
      choices,
      memory: new Memory(gpu, faults),
      compileShader: pipelineCache(gpu, faults),
    };
    this.planner = plannerOf(this.#host, this.#planOf.bind(this));
    this.#tune = keeping &&
      tuner(
        this.#host,
        keeping,
        async (block, size) => await this.#download(block, size, "f32") as Float32Array,
      );
  }

  allocate(size: number, dtype: DType): Block {
    return this.#host.memory.allocate(size, this.#isHalf(dtype) ? 2 : 4);
  }

  free(storage: Storage): void {
    this.#host.memory.free(storage as Block);
  }

  write(storage: Storage, data: HostArray, dtype: DType): void {
    checkAlive(this.#host.faults);
    if (data.length === 0) return;
    const { gpu, target } = this.#host, words = toWords(data, dtype, target.halves);
    gpu.queue.writeBuffer((storage as Block).buffer, 0, words);
  }

  /** Deno waits at least 11 ms for any number of reads: start several before awaiting the first. */
  async read(storage: Storage, size: number, dtype: DType): Promise<HostArray> {
    const data = await this.#download(storage as Block, size, dtype);
    await this.#tune?.();
    return data;
  }

  #isHalf(dtype: DType): boolean {
    return this.#host.target.halves?.has(dtype) ?? false;
  }

  async #download(storage: Block, size: number, dtype: DType): Promise<HostArray> {
    const { gpu, faults, target } = this.#host;
    const bytes = 4 * Math.ceil(size / (this.#isHalf(dtype) ? 2 : 1));
    checkAlive(faults);
    if (size === 0) return fromWords(new ArrayBuffer(0), 0, dtype);
    // The copy is submitted before the first await: runs that come later do not change what is read.
    const staging = guarded(gpu, faults, `a read of ${bytes} bytes`, () => {
      const buffer = gpu.createBuffer({
        size: bytes,
        usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
      });
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(storage.buffer, 0, buffer, 0, bytes);
      gpu.queue.submit([encoder.finish()]);
      return buffer;
    });
    try {
      await waitFor(staging.mapAsync(GPUMapMode.READ), faults);
      return fromWords(staging.getMappedRange(), size, dtype, target.halves);
    } finally {
      staging.destroy();
    }
  }

  compile(graph: Graph): Program {
    const start = performance.now(), plan = this.#planOf(graph);
    return this.compilePlan(plan, performance.now() - start);
  }

  #planOf(graph: Graph): Plan {
    const { target } = this.#host, { bindings, halves } = target;
    const unfit = new Map<FusedKernel, string>();
    const composes = (k: FusedKernel): string | undefined =>
      unfit.get(k) ?? attentionRefusal(k, target);
    // Which buffers a hand-written kernel reads is known when all is planned: one that may not bind them is planned again without.
    for (;;) {
      const plan = makePlan(graph, { bindings, fuse: true, composes, ...halves && { halves } });
      const found = unfitKernels(plan, target);
      if (!found.size) return plan;
      found.forEach((why, k) => unfit.set(k, why));
    }
  }

  /** A program from a plan that is already made. */
  compilePlan(plan: Plan, planMs = 0): Program {
    checkAlive(this.#host.faults);
    return programOf(this.#host, plan, planMs);
  }

  async synchronize(): Promise<void> {
    checkAlive(this.#host.faults);
    await waitFor(this.#host.gpu.queue.onSubmittedWorkDone(), this.#host.faults);
    await this.#tune?.();
  }

  usage(): { readonly bytes: number; readonly storages: number } {
    return this.#host.memory.usage();
  }

  peakBytes(): number {
    return this.#host.memory.peak();
  }

  destroy(): void {
    this.#host.memory.destroy();
    this.#host.gpu.destroy();
  }
}

/** Waits for the GPU; what it says itself explains more than a failed wait. */
async function waitFor(work: Promise<unknown>, faults: Faults): Promise<void> {
  const failure = await work.then(() => undefined, (e: unknown) => e);
  await checkFaults(faults);
  if (failure !== undefined) throw failure;
}
