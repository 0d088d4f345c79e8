/**
 * The search for the fastest member of the matmul family, on the device itself. A member is checked before it is timed:
 * one that is wrong, or that the driver refuses, is not chosen.
 *
 * The check is Freivalds': C r = A (B r) for random r. It looks at every element of C, costs no second product, and
 * with whole numbers that f32 holds exactly it is exact. Source: Freivalds 1977, "Probabilistic machines can use less running time".
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import { toHost } from "../../dtype.ts";
import { type Node, sizeOf, type Sizes } from "../../graph/node.ts";
import type { MatmulKernel, Operand } from "../../plan/kernels.ts";
import type { Block } from "./buffers.ts";
import { toWords } from "./host_words.ts";
import { choicesFor, choiceText, type MatmulChoice, matmulShaders, temporaryOf } from "./matmul.ts";
import type { Host } from "./program.ts";
import { groupOf, type Step, wholeWindow } from "./steps.ts";
import { timestamps } from "./timestamps.ts";

/** How often a member is timed; the best counts. */
const RUNS = 5;

/** The fastest member, and what every member took. */
export interface Found {
  readonly choice: MatmulChoice;
  /** Microseconds by name; those that failed are missing. */
  readonly times: ReadonlyMap<string, number>;
}

/** Whole numbers from -3 to 4 without a pattern, so that every product of fewer than 2^20 is exact. */
function wholeNumbers(size: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) out[i] = (Math.imul(i + 1, 0x9e3779b1) >>> 29) - 3;
  return out;
}

/** Where each matrix of a batch begins. */
function starts({ offset, strides }: Operand, batch: Sizes): number[] {
  return batch.reduce<number[]>(
    (at, n, axis) => at.flatMap((a) => Array.from({ length: n }, (_, i) => a + i * strides[axis]!)),
    [offset],
  );
}

/** The matrix of an operand times a vector, for one matrix of the batch. */
function times(
  data: Float32Array,
  { strides }: Operand,
  start: number,
  rows: number,
  r: Float64Array,
): Float64Array {
  const [down, across] = strides.slice(-2) as [number, number], out = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < r.length; j++) sum += data[start + i * down + j * across]! * r[j]!;
    out[i] = sum;
  }
  return out;
}

/** Tells whether contents of `store` are the product of whole numbers below 8. */
export function checker(
  k: MatmulKernel,
  dataOf: (n: Node) => Float32Array,
): (c: Float32Array) => boolean {
  const r = Float64Array.from({ length: k.n }, (_, j) => 1 + (Math.imul(j + 7, 0x85ebca6b) >>> 22));
  const startsB = starts(k.b, k.batch);
  const want = starts(k.a, k.batch).map((at, g) =>
    times(dataOf(k.a.base), k.a, at, k.m, times(dataOf(k.b.base), k.b, startsB[g]!, k.k, r))
  );
  const stored: Operand = { base: k.store, offset: 0, strides: [k.n, 1] };
  return (c) =>
    want.every((w, g) => {
      const got = times(c, stored, g * k.m * k.n, k.m, r);
      return w.every((x, i) => x === got[i]);
    });
}

/** The dispatches of one member on these buffers. */
function stepsOf(
  host: Host,
  k: MatmulKernel,
  slots: readonly Node[],
  choice: MatmulChoice,
): Step[] {
  const shaders = matmulShaders(
    k,
    (n) => slots.indexOf(n),
    choice,
    host.target,
    slots.length,
  );
  const { bindingBytes } = host.target;
  return shaders.map((shader) => ({
    kernel: 0,
    shader,
    windows: shader.slots.map((slot) => wholeWindow(slot, bindingBytes)),
    compiled: host.compileShader(shader, choiceText(choice)),
    changing: [],
    groups: new Map(),
    current: undefined,
  }));
}

/** Submits `runs` runs; gives microseconds of the fastest, by the GPU's clock if it has one. */
async function time(
  host: Host,
  steps: readonly Step[],
  bound: readonly Block[],
  runs: number,
): Promise<number> {
  const { gpu, faults } = host, encoder = gpu.createCommandEncoder();
  const clock = gpu.features.has("timestamp-query") ? timestamps(gpu, faults, runs) : undefined;
  const start = performance.now();
  for (let run = 0; run < runs; run++) {
    const pass = encoder.beginComputePass(clock && { timestampWrites: clock.writes(run) });
    for (const step of steps) {
      pass.setPipeline(step.compiled.pipeline);
      pass.setBindGroup(0, groupOf(gpu, step, bound));
      pass.dispatchWorkgroups(...step.shader.groups);
    }
    pass.end();
  }
  const spans = clock?.read(encoder);
  gpu.queue.submit([encoder.finish()]);
  if (spans) return Math.min(...(await spans()).map((s) => s.endUs - s.startUs));
  await gpu.queue.onSubmittedWorkDone();
  return 1000 * (performance.now() - start) / runs;
}

/**
 * Times the members that could make a product. Undefined if none of them can.
 *
 * `read` gives the contents of a block; it throws what the device has to say about work before it.
 */
export async function search(
  host: Host,
  k: MatmulKernel,
  read: (block: Block, size: number) => Promise<Float32Array>,
): Promise<Found | undefined> {
  const choices = choicesFor(k, host.target), slots = [...new Set([k.a.base, k.b.base]), k.store];
  const sizes = [
    ...slots.map((n) => sizeOf(n.shape)),
    Math.max(1, ...choices.map((c) => temporaryOf(k, c))),
  ];
  const blocks: Block[] = [], times = new Map<string, number>();
  let choice: MatmulChoice | undefined, best = Infinity;
  try {
    for (const size of sizes) blocks.push(host.memory.allocate(size));
    const data = slots.map((n) => wholeNumbers(sizeOf(n.shape)));
    data.forEach((d, i) => {
      const { dtype } = slots[i]!, words = toWords(toHost(d, dtype), dtype, host.target.halves);
      host.gpu.queue.writeBuffer(blocks[i]!.buffer, 0, words);
    });
    const isProduct = checker(k, (n) => data[slots.indexOf(n)]!), store = slots.length - 1;
    for (const c of choices) {
      try {
        const steps = stepsOf(host, k, slots, c);
        host.gpu.queue.writeBuffer(blocks[store]!.buffer, 0, data[store]!);
        await time(host, steps, blocks, 1);
        if (!isProduct(await read(blocks[store]!, sizes[store]!))) continue;
        const us = await time(host, steps, blocks, RUNS);
        times.set(choiceText(c), us);
        if (us < best) [choice, best] = [c, us];
      } catch (error) {
        if (!(error instanceof DeviceError) || error.failure === "lost") throw error;
      }
    }
  } finally {
    blocks.forEach((b) => host.memory.free(b));
  }
  return choice && { choice, times };
}
