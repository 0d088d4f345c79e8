/**
 * One of two ranks that take steps of a small encoder: `overlap_process.ts RANK HOST0 HOST1 ROUNDS BATCH RATIO...`. Each shapes its end of
 * the cable so that an exchange takes so many times as long as a step's computing, and the first writes what was measured as lines of JSON.
 *
 * @module
 */
import {
  cpu,
  dispose,
  fromArray,
  jit,
  leaves,
  mapTree,
  paths,
  read,
  sizesOf,
} from "../../core/mod.ts";
import type { AnyTensor, Tensor, Tree } from "../../core/mod.ts";
import { createExchange, joinJob } from "../../dist/mod.ts";
import { BatchFeed, partsOf } from "../../recipes/data/batch_feed.ts";
import type { PretrainConfig } from "../../recipes/pretrain/config.ts";
import { leafOrder } from "../../recipes/pretrain/leaf_order.ts";
import { stepInputs } from "../../recipes/pretrain/inputs.ts";
import {
  lossInputs,
  stepOptions,
  stepPrograms,
  type Sums,
  zeroSums,
} from "../../recipes/pretrain/step.ts";
import { initialState, optimizerOf } from "../../recipes/pretrain/train.ts";
import { tinyData, tinyRun } from "../recipes/tiny_run.ts";
import { shapeHere } from "./namespaces.ts";

/** Milliseconds of a step and its parts, each the median over the rounds. */
export interface Measured {
  readonly ratio: number;
  readonly compute: number;
  readonly exchange: number;
  /** Exchange while computing, and after it. */
  readonly overlapped: number;
  readonly apart: number;
  /** Until the first leaf of the gradient is there: nothing can be sent before. */
  readonly first: number;
  /** What the optimiser does with all of the sum. */
  readonly apply: number;
}

const rank = Number(Deno.args[0]), hosts = [Deno.args[1]!, Deno.args[2]!];
const [rounds, sequences, ...ratios] = Deno.args.slice(3).map(Number) as [
  number,
  number,
  ...number[],
];
const config: PretrainConfig = {
  ...tinyRun,
  model: { ...tinyRun.model, layers: 8, width: 256, heads: 4, hidden: 1024 },
  // With enough to compute, the processor time of an exchange, which two ranks on two cores take from computing, is little beside it.
  data: { ...tinyRun.data, length: 128, batch: sequences, microBatch: sequences },
};
const device = cpu({ threads: 1, aside: true }), data = tinyData(config.data.length);
const { batch: B } = config.data, { vocabulary, train: set } = data;
const source = { set, vocabulary, settings: { seed: 1, B, mask: config.mask } };
using feed = new BatchFeed(source, partsOf(0, 1, B, B), { workers: 0, ahead: 0 });
const batch = await feed.next();
const programs = stepPrograms(config.model, optimizerOf(config), stepOptions(config, device));
let { model, optimizer } = await initialState(config, vocabulary.tokens.length, device);
const zero = jit(zeroSums, { device }), like = zeroSums(model);
const listOf = (sums: unknown): AnyTensor[] => leaves(sums as Tree<AnyTensor>);
const shapes = listOf(like).map((x) => [...sizesOf(x)]);
const lengths = shapes.map((shape) => shape.reduce((n, axis) => n * axis, 1));
const names = paths(like as unknown as Tree<AnyTensor>).map(([name]) => name);
const bytes = 4 * lengths.reduce((a, b) => a + b);

const master = { hostname: hosts[0]!, port: 29_500 }, hostname = hosts[rank]!;
const place = { rank, size: 2, localSize: 1, master, hostname, job: "overlap", generation: 1 };
const { group, close } = await joinJob({ ...place, token: "of the cable" }, {
  plan: 0,
  thread: {},
});
// As many buckets as a model of 25 times its size has of the usual ones.
const exchange = createExchange(group, { lengths, order: leafOrder(names), bucketBytes: 1 << 20 });

function accumulated(): Sums {
  const inputs = stepInputs(batch, 0, 0, batch.total);
  const sums = programs.accumulate(model, zero(model), inputs, lossInputs(optimizer));
  dispose(inputs);
  return sums;
}
async function apply(sums: Sums): Promise<void> {
  const applied = programs.apply(model, optimizer, sums);
  ({ model, state: optimizer } = applied);
  dispose([applied.sums, applied.metrics]);
  await device.synchronize();
}
function sumsOf(arrays: readonly Float32Array[]): Sums {
  let i = 0;
  const made = mapTree(
    like as unknown as Tree<AnyTensor>,
    () => fromArray(arrays[i]!, shapes[i++]!) as AnyTensor,
  );
  return made as unknown as Sums;
}
let first = 0, applying = 0;
async function step(isEarly: boolean): Promise<void> {
  const start = performance.now(), sums = accumulated();
  if (!isEarly) await device.synchronize();
  const reads = listOf(sums).map((x) => read(x as Tensor) as Promise<Float32Array>);
  // Losses and counts are there after the forward pass, and no bucket is complete by them.
  reads.forEach((x, i) => {
    if (names[i]!.startsWith("grads.")) x.then(() => first ||= performance.now() - start);
  });
  await exchange.addReady(reads, 1);
  dispose(sums);
  await apply(sumsOf((await exchange.sum()).arrays));
}
const zeros = lengths.map((n) => new Float32Array(n));
const parts = {
  compute: async () => {
    const sums = accumulated();
    await device.synchronize();
    const start = performance.now();
    await apply(sums);
    applying = performance.now() - start;
  },
  exchange: async () => {
    exchange.add(zeros, 1);
    await exchange.sum();
  },
  overlapped: () => step(true),
  apart: () => step(false),
};
async function timed(work: () => Promise<void>): Promise<number> {
  await group.barrier();
  const start = performance.now();
  await work();
  const mine = Float64Array.of(performance.now() - start);
  return (await group.allReduce(mine, { reduction: "max" }))[0]!;
}
const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[times.length >> 1]!;

for (const work of Object.values(parts)) await timed(work);
for (const ratio of ratios) {
  const before: number[] = [];
  for (let i = 0; i < 3; i++) before.push(await timed(parts.compute));
  await shapeHere(8 * bytes / (ratio * median(before) / 1000));
  const times = {
    compute: [],
    exchange: [],
    overlapped: [],
    apart: [],
    first: [],
    apply: [],
  } as Record<
    keyof typeof parts | "first" | "apply",
    number[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of ["compute", "exchange", "apart", "overlapped"] as const) {
      first = 0;
      times[name].push(await timed(parts[name]));
    }
    times.first.push(first);
    times.apply.push(applying);
  }
  const measured: Measured = {
    ratio,
    compute: median(times.compute),
    exchange: median(times.exchange),
    overlapped: median(times.overlapped),
    apart: median(times.apart),
    first: median(times.first),
    apply: median(times.apply),
  };
  if (rank === 0) console.log(JSON.stringify(measured));
}
await close();
Deno.exit(0);
