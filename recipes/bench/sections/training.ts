/**
 * Whole training steps by size.
 *
 * @module
 */
import { reference } from "../../../core/backends/reference/mod.ts";
import type { Device } from "../../../core/device/device.ts";
import { parameterCount } from "../../../nn/mod.ts";
import { type BenchCase, once, WrongResultError } from "../bench_case.ts";
import { stepRunner, stepSpec } from "../step.ts";
import { LOSSES, stepFlops, type StepSizes } from "../step_sizes.ts";

/** The same model, small enough for the reference device. */
const twin: StepSizes = {
  layers: 2,
  width: 32,
  heads: 2,
  hidden: 64,
  vocabulary: 61,
  batch: 2,
  length: 16,
};

const places = Array.from({ length: LOSSES }, (_, i) => i);

async function losses(device: Device, sizes: StepSizes): Promise<readonly number[]> {
  const runner = await stepRunner(device, sizes);
  const values = await runner.values(places);
  await runner.close();
  return values;
}

const right = once(() => losses(reference(), twin));

/** A device must learn as the reference device does before it is timed at sizes that are too large for that one. */
export async function checkTwin(device: Device): Promise<void> {
  const [got, want] = [await losses(device, twin), await right()];
  got.forEach((loss, i) => {
    if (Math.abs(loss - want[i]!) <= 1e-4) return;
    throw new WrongResultError(
      `Cannot time a training step on ${device.description}: the loss of step ${i} of a small model is ${loss}, it is ${
        want[i]
      } on the reference device`,
    );
  });
}

/** How far the first losses of two correct sides may be apart, and which share of the fall. Initial values may differ. */
const APART = 0.2, FALL = 0.35;

/** How far the losses of sides that start from the same parameters may be apart. */
const SAME = 1e-3;

/** A step of one size. */
export function trainingCase(sizes: StepSizes, extra: Partial<BenchCase> = {}): BenchCase {
  const { layers, width, batch, length, vocabulary } = sizes;
  let ours: readonly number[] | undefined, known: readonly number[] | undefined;
  /** Sides that show every loss start from the same parameters: they must agree on each. */
  const checkSame = (all: readonly number[], who: string): void => {
    if (!all.every(Number.isFinite)) return;
    const off = all.findIndex((loss, i) => Math.abs(loss - (known ?? all)[i]!) > SAME);
    known ??= all;
    if (off < 0) return;
    throw new WrongResultError(
      `Cannot time ${who}: its loss of step ${off} is ${all[off]}, it must be ${known[off]}`,
    );
  };
  return {
    name: `training step ${layers}x${width}`,
    size: `${batch}x${length} V${vocabulary}`,
    op: "step",
    sizes: { ...sizes, params: parameterCount(stepSpec(sizes)) },
    unit: "ms",
    work: { flops: stepFlops(sizes), tokens: batch * length },
    async ours(device) {
      await checkTwin(device);
      return await stepRunner(device, sizes);
    },
    async check(runner, who) {
      const all = await runner.values(places), first = all[0]!, last = all.at(-1)!;
      checkSame(all, who);
      const want = ours ?? [Math.log(vocabulary), NaN];
      const fall = ours ? Math.abs((first - last) / (ours[0]! - ours[1]!) - 1) : 0;
      if (Math.abs(first - want[0]!) <= APART && last < first && fall <= FALL) {
        ours ??= [first, last];
        return;
      }
      throw new WrongResultError(
        `Cannot time ${who}: its loss goes from ${first} to ${last} in ${LOSSES} steps, it must begin near ${
          want[0]
        } and fall${ours ? ` to about ${ours[1]}` : ""}`,
      );
    },
    peers: { cpu: ["PyTorch step"], "cpu+blas": ["PyTorch step"], webgpu: ["jax-js webgpu"] },
    ...extra,
  };
}

/** 2 layers, 128 wide: the size of the tiny configuration. */
export const small: StepSizes = {
  layers: 2,
  width: 128,
  heads: 2,
  hidden: 512,
  vocabulary: 6000,
  batch: 32,
  length: 64,
};
/** 4 layers, 256 wide. */
export const medium: StepSizes = {
  layers: 4,
  width: 256,
  heads: 4,
  hidden: 1024,
  vocabulary: 8192,
  batch: 16,
  length: 128,
};
/** BERT-base, with the vocabulary of Chinese BERT. */
export const base: StepSizes = {
  layers: 12,
  width: 768,
  heads: 12,
  hidden: 3072,
  vocabulary: 21_128,
  batch: 4,
  length: 128,
};

/** The section. */
export const trainingCases: readonly BenchCase[] = [
  trainingCase(small),
  trainingCase(medium),
  trainingCase(base, { onlyFor: "cpu+blas" }),
];

/** The same number of tokens as longer and longer texts. */
export const lengthCases: readonly BenchCase[] = [64, 128, 256, 512, 1024, 2048].map((length) => ({
  ...trainingCase({ ...small, batch: 2048 / length, length }),
  name: "sequence length 2x128",
  unit: "tokens/s",
  peers: { cpu: [], "cpu+blas": [], webgpu: [] },
}));
