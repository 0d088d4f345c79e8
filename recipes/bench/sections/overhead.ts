/**
 * What is paid beside the arithmetic: to start a program, to start a kernel on a GPU, and to compile.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cpu,
  type Device,
  dispose,
  fromArray,
  jit,
  matmul,
  toDevice,
} from "../../../core/mod.ts";
import { type BenchCase, expecting, type Runner } from "../bench_case.ts";
import { fill } from "../fill.ts";
import { quantile } from "../measure.ts";
import { ourRunner } from "../ours.ts";
import { stepInputs, stepModel, stepOptimizer, stepProgram } from "../step.ts";
import { stepFlops, type StepSizes } from "../step_sizes.ts";
import { checkTwin } from "./training.ts";

const nobody: BenchCase["peers"] = { cpu: [], "cpu+blas": [], webgpu: [] };

/** x + 1 over 16 numbers: nothing but overhead. */
const tiny: BenchCase = {
  name: "dispatch tiny program",
  size: "16",
  op: "increment",
  sizes: { count: 16 },
  unit: "us",
  work: {},
  ours: (device) => ourRunner(device, (x) => [add(x!, 1)], [fromArray(fill(1, 16), [16])]),
  check: expecting({
    results: 16,
    values: (at) => at.map((i) => fill(1, 16)[i]! + 1),
    tolerance: 1e-6,
  }),
  peers: { cpu: ["PyTorch", "jax-js wasm"], "cpu+blas": [], webgpu: ["jax-js webgpu"] },
};

/** Sides of small products, and how many stand in a row. */
const SMALL = 64, ROW = 16;

/** Products so small that threads hardly pay, each of which needs the one before: more threads must not make them slower. */
const small: BenchCase = {
  name: "dispatch chain of small products",
  size: `${ROW}x${SMALL}x${SMALL}x${SMALL}`,
  op: "chain of small products",
  sizes: {},
  unit: "us",
  work: { flops: 2 * ROW * SMALL ** 3 },
  ours: chainOfSmall,
  check: expecting({
    results: SMALL ** 2,
    values: (at) => at.map((i) => fill(1, SMALL ** 2)[i]!),
    tolerance: 1e-6,
  }),
  peers: nobody,
  beside: {
    name: "ours on one thread",
    async open() {
      const device = cpu({ threads: 1, blas: "off" }), runner = await chainOfSmall(device);
      return {
        ...runner,
        async close() {
          await runner.close();
          device.destroy();
        },
      };
    },
  },
  onlyOn: ["cpu"],
};

function chainOfSmall(device: Device): Promise<Runner> {
  const inputs = [fill(1, SMALL ** 2), identity(SMALL)].map((x) => fromArray(x, [SMALL, SMALL]));
  return ourRunner(device, (x, w) => [chain(x!, w!, ROW)], inputs);
}

function chain(x: AnyTensor, w: AnyTensor, products: number): AnyTensor {
  let y = x;
  for (let i = 0; i < products; i++) y = matmul(y, w);
  return y;
}

const identity = (side: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: side ** 2 }, (_, i) => i % (side + 1) ? 0 : 1);

/** Products in a row, each of which needs the one before: as many kernels, with nothing to fuse. */
const KERNELS = 64, SIDE = 16;
/** Calls of one turn; the median counts. */
const CALLS = 15;

/** Host time alone: what the thread that queues a replayed program pays for each of its kernels. */
const host: BenchCase = {
  name: "dispatch host time a kernel",
  size: `${KERNELS} kernels`,
  op: "chain of products",
  sizes: {},
  unit: "us",
  work: {},
  async ours(device): Promise<Runner> {
    const shape = [SIDE, SIDE], x = fill(1, SIDE ** 2);
    const inputs = await toDevice(
      [fromArray(x, shape), fromArray(identity(SIDE), shape)] as const,
      device,
    );
    const call = jit((x: AnyTensor, w: AnyTensor) => chain(x, w, KERNELS), { device }),
      { kernels } = call.explain(...inputs);
    const checked = await ourRunner(device, (x, w) => [chain(x!, w!, KERNELS)], inputs);
    return {
      ...checked,
      async time(times) {
        const seconds: number[] = [];
        for (let i = 0; i < CALLS; i++) {
          const start = performance.now(), result = call(...inputs);
          seconds.push((performance.now() - start) / 1000);
          await device.synchronize(); // a full queue would be waited for in the next call
          dispose(result);
        }
        return times * quantile(seconds, 0.5) / kernels;
      },
    };
  },
  check: expecting({
    results: SIDE ** 2,
    values: (at) => at.map((i) => fill(1, SIDE ** 2)[i]!),
    tolerance: 1e-6,
  }),
  peers: nobody,
  onlyOn: ["webgpu"],
  slow: true,
};

/** From the function to its first step done: tracing, planning, generating code, running once. */
function compileCase(layers: number): BenchCase {
  const sizes: StepSizes = {
    layers,
    width: 256,
    heads: 4,
    hidden: 1024,
    vocabulary: 8192,
    batch: 2,
    length: 128,
  };
  return {
    name: "compile to first step",
    size: `${layers}x256`,
    op: "compile",
    sizes: { ...sizes },
    unit: "s",
    work: {},
    async ours(device: Device): Promise<Runner> {
      await checkTwin(device);
      const inputs = await toDevice(stepInputs(sizes), device);
      return {
        async time(times) {
          let seconds = 0;
          for (let i = 0; i < times; i++) {
            const model = await toDevice(stepModel(sizes), device),
              state = stepOptimizer().init(model);
            const start = performance.now(), next = stepProgram(device)(model, state, inputs);
            await device.synchronize();
            seconds += (performance.now() - start) / 1000;
            dispose(next);
          }
          return seconds;
        },
        values: (at) => Promise.resolve(at.map(() => stepFlops(sizes))),
        close: () => dispose(inputs),
      };
    },
    // What is compiled is checked as the training step is, at its twin's size.
    check: () => Promise.resolve(),
    peers: nobody,
  };
}

/** The section. */
export const overheadCases: readonly BenchCase[] = [
  tiny,
  small,
  host,
  compileCase(4),
  compileCase(24),
];
