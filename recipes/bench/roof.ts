/**
 * The roofs: what this machine can do at most, measured in the same run as the rows that are compared with it.
 *
 * FLOP/s: the product of two 1024² matrices by OpenBLAS where it is installed, else by the device itself. GB/s: the triad
 * a ← b + s c over arrays larger than the caches. A real GPU is its own roof: its best product, and its own sum over large arrays.
 *
 * @module
 */
import { add, type AnyTensor, type Device, full, jit, mul } from "../../core/mod.ts";
import type { BenchCase } from "./bench_case.ts";
import type { Peers } from "./peers/peers.ts";
import type { BenchDevice, Work } from "./row.ts";
import { matmulCase } from "./sections/matmul.ts";
import { ourRunner } from "./ours.ts";
import { triadBandwidth } from "./triad.ts";

/** Units: per second. */
export interface Roof {
  readonly flops: number;
  readonly bytes: number;
  /** What measured the FLOP/s. */
  readonly by: string;
}

const ROUNDS = 5;
const product: BenchCase = matmulCase({ m: 1024, k: 1024, n: 1024 });

/** Fastest of some turns: a roof is what is possible. */
async function fastest(
  runner: { time(times: number): Promise<number> },
  times: number,
): Promise<number> {
  await runner.time(times);
  let best = Infinity;
  for (let i = 0; i < ROUNDS; i++) best = Math.min(best, await runner.time(times) / times);
  return best;
}

async function productRate(device: Device): Promise<number> {
  const runner = await product.ours(device);
  await product.check(runner, "our own product");
  const seconds = await fastest(runner, 3);
  await runner.close();
  return product.work.flops! / seconds;
}

/** The roof of each device; each is measured once, when it is first asked for. */
export function roofs(
  peers: Peers | undefined,
): (name: BenchDevice, device: Device) => Promise<Roof> {
  const found = new Map<string, Promise<Roof>>();
  const ofCpu = async (device: Device): Promise<Roof> => {
    const bytes = await triadBandwidth();
    const blas = await peers?.get("OpenBLAS");
    if (!blas || blas.name === undefined) {
      return { flops: await productRate(device), bytes, by: device.description };
    }
    const runner = await blas.open(product);
    await product.check(runner, blas.name);
    return { flops: product.work.flops! / await fastest(runner, 10), bytes, by: blas.name };
  };
  return (name, device) => {
    const isGpu = name === "webgpu" && !/software/.test(device.description);
    const key = isGpu ? "gpu" : "cpu";
    if (!found.has(key)) found.set(key, isGpu ? roofOfGpu(device) : ofCpu(device));
    return found.get(key)!;
  };
}

/** Elements of the arrays that a GPU adds: beyond its caches, within every binding limit. */
const LARGE = 1 << 24;

async function roofOfGpu(device: Device): Promise<Roof> {
  const inputs = await Promise.all([1, 2].map((x) => ourInput(device, x)));
  const runner = await ourRunner(device, (a, b) => [add(a!, mul(b!, 3))], inputs);
  const seconds = await fastest(runner, 20);
  await runner.close();
  return {
    flops: await productRate(device),
    bytes: 3 * 4 * LARGE / seconds,
    by: device.description,
  };
}

const ourInput = (device: Device, value: number): AnyTensor =>
  jit((one: AnyTensor) => mul(one, value), { device })(full([LARGE], 1));

/** Which share of the roof it takes to do this work in so many seconds; null for work that has no roof. */
export function roofShare(roof: Roof, work: Work, seconds: number): number | null {
  if (work.flops) return work.flops / seconds / roof.flops;
  return work.bytes ? work.bytes / seconds / roof.bytes : null;
}
