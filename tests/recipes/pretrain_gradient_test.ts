/**
 * The gradient of a step of the whole pretraining model, masked text and clicks, with dropout: the same however a batch is split, and
 * whether layers are kept or computed again.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  type AnyTensor,
  cpu,
  type Device,
  dispose,
  fromArray,
  leaves,
  read,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { type SchemeName, schemes } from "../../nn/mod.ts";
import { clickBatches } from "../../recipes/click/click_batches.ts";
import { clickPart, clickWeight } from "../../recipes/click/click_weight.ts";
import { maskTokens, trainBatches } from "../../recipes/data/batches.ts";
import { MASK_SETTINGS } from "../../recipes/masking/mask_settings.ts";
import {
  type ModelConfig,
  NONE_SIMULATED,
  type PretrainConfig,
} from "../../recipes/pretrain/config.ts";
import { clickStepInputs, stepInputs } from "../../recipes/pretrain/inputs.ts";
import { stepOptions, stepPrograms, type Sums, zeroSums } from "../../recipes/pretrain/step.ts";
import { initialState, optimizerOf } from "../../recipes/pretrain/train.ts";
import { gpuFor } from "./any_gpu.ts";
import { madeClicks } from "./made_clicks.ts";
import { tinyData, tinyRun } from "./tiny_run.ts";

const T = 24, { vocabulary, train } = tinyData(T), V = vocabulary.tokens.length;
const STEP = 3, B = 8, I = 6, D = 4;

const config: PretrainConfig = {
  ...tinyRun,
  model: { ...tinyRun.model, layers: 2, width: 32, heads: 2, hidden: 64, dropout: 0.1 },
  data: { ...tinyRun.data, batch: B },
  click: {
    ...{
      log: "x",
      simulated: NONE_SIMULATED,
      loss: "pairwise",
      docs: D,
      length: 20,
      batch: I,
      microBatch: I,
    },
    ...{ mlm: true, weights: "uncertainty", share: 1, clip: 10, heldOut: 0.1 },
  },
};

const log = madeClicks(V, 11);
const shown = clickBatches(log, vocabulary, maskTokens(vocabulary), {
  ...{ seed: 1, I, D, T: 20, most: 10, mask: MASK_SETTINGS, propensities: [1, 0.5, 0.25, 0.1] },
})(STEP);

const batches = trainBatches(train, vocabulary, { seed: 1, B });
/** A large batch, and a run of it. */
const LARGE = 1024, largeBatches = trainBatches(train, vocabulary, { seed: 1, B: LARGE });
const large: PretrainConfig = {
  ...config,
  click: null,
  model: { ...config.model, layers: 1, width: 16, hidden: 32 },
};

/** Rows [from, to): of two rows in three only the first prediction counts, so that no two micro-batches weigh alike. */
function rows(from: number, to: number): ReturnType<typeof batches> {
  const part = batches(STEP, from, to), P = part.weights.length / (to - from);
  const weights = part.weights.map((w, i) => (from + Math.floor(i / P)) % 3 && i % P ? 0 : w);
  return { ...part, weights };
}

const sumOf = (weights: Float32Array): number => weights.reduce((a, b) => a + b, 0);
const predictions = sumOf(rows(0, B).weights) + sumOf(shown.weights);

type Split = readonly number[];
interface Splits {
  readonly text: Split;
  readonly clicks: Split;
}

/** The gradient of a step, flat. */
async function gradient(
  device: Device,
  { text, clicks }: Splits,
  run = config,
): Promise<Float32Array> {
  const { model } = await initialState(run, V, device);
  const programs = stepPrograms(run.model, optimizerOf(run), stepOptions(run, device));
  const tasks = { s: fromArray([0.4, -0.3], [2]) as AnyTensor };
  const weight = clickWeight("pairwise", shown);
  let sums: Sums = zeroSums(model);
  const isLarge = run === large;
  for (let i = 0, first = 0; i < text.length; first += text[i++]!) {
    const to = first + text[i]!, part = isLarge ? largeBatches(STEP, first, to) : rows(first, to);
    const inputs = stepInputs(part, STEP, first, isLarge ? part.total : predictions);
    sums = programs.accumulate(model, sums, inputs, isLarge ? {} : tasks);
    dispose(inputs);
  }
  for (let i = 0, first = 0; i < clicks.length; first += clicks[i++]!) {
    const part = clickPart(shown, first, first + clicks[i]!);
    const inputs = clickStepInputs(part, STEP, B + first * D, { predictions, weight });
    sums = programs.accumulateClicks(model, sums, inputs, tasks);
  }
  const found = await Promise.all(
    leaves(sums.grads as unknown as Tree<AnyTensor>).map((x) => read(x as Tensor)),
  );
  return Float32Array.from(found.flatMap((x) => [...x]));
}

const withRecompute = (run: PretrainConfig): PretrainConfig => ({
  ...run,
  data: { ...run.data, recompute: true },
});

/** ‖a − b‖ / ‖a‖. */
function apart(a: Float32Array, b: Float32Array): number {
  assertEquals(a.length, b.length);
  const square = (of: (x: number, i: number) => number): number =>
    a.reduce((sum, x, i) => sum + of(x, i) ** 2, 0);
  assert(square((x) => x) > 0);
  return Math.sqrt(square((x, i) => x - b[i]!) / square((x) => x));
}

const WHOLE: Splits = { text: [B], clicks: [I] }, EVEN: Splits = { text: [4, 4], clicks: [3, 3] };

Deno.test("n micro-batches of unequal weights give the gradient of one batch to 1e-6 of its norm on cpu", async () => {
  const device = cpu(), whole = await gradient(device, WHOLE);
  const weights = [rows(0, 1), rows(1, 3), rows(3, 8)].map((part) => sumOf(part.weights));
  assert(new Set(weights).size === 3, `${weights}`);
  const uneven = { text: [1, 2, 5], clicks: [1, 2, 3] },
    single = { text: Array(B).fill(1), clicks: Array(I).fill(1) };
  for (const split of [EVEN, uneven, single]) {
    assertLess(apart(whole, await gradient(device, split)), 1e-6, JSON.stringify(split));
  }
  device.destroy();
});

Deno.test("1,024 micro-batches of a sequence give the gradient of 1,024 sequences to 1e-6 of its norm on cpu", async () => {
  const device = cpu(),
    split = (n: number): Splits => ({ text: Array(LARGE / n).fill(n), clicks: [] });
  const whole = await gradient(device, split(LARGE), large);
  for (const n of [1, 32]) {
    assertLess(apart(whole, await gradient(device, split(n), large)), 1e-6, `${n} a micro-batch`);
  }
  device.destroy();
});

Deno.test("layers computed again change no bit of the gradient on cpu, whatever the positions and the place of the norm", async () => {
  const device = cpu();
  const models: readonly Partial<ModelConfig>[] = [
    ...Object.keys(schemes).map((scheme) => ({ scheme: scheme as SchemeName })),
    { norm: "post" },
    { layers: 3, width: 48, heads: 3, hidden: 96 },
  ];
  for (const model of models) {
    const changed = { ...config, model: { ...config.model, ...model } };
    const kept = await gradient(device, EVEN, changed);
    assertEquals(await gradient(device, EVEN, withRecompute(changed)), kept, JSON.stringify(model));
  }
  assertEquals(
    await gradient(device, WHOLE, withRecompute(config)),
    await gradient(device, WHOLE),
  );
  device.destroy();
});

const gpu = await gpuFor("gradient of a step");
if (gpu) {
  Deno.test("micro-batches, and layers computed again, change the gradient by at most 1e-6 of its norm on webgpu", async () => {
    const whole = await gradient(gpu, WHOLE);
    assertLess(apart(whole, await gradient(gpu, EVEN)), 1e-6);
    assertLess(apart(whole, await gradient(gpu, WHOLE, withRecompute(config))), 1e-6);
    gpu.destroy();
  });
}
