/** Passes in f16 and bf16: gradients, micro-batches, recompute, steps that overflow, and what is refused. */
import { DivergedError } from "../../recipes/cli/diverged_error.ts";
import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type AnyTensor,
  cpu,
  type Device,
  leaves,
  paths,
  read,
  reference,
  type Tensor,
  tensor,
  type Tree,
} from "../../core/mod.ts";
import { trainBatches } from "../../recipes/data/batches.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import type { Precision, PretrainConfig } from "../../recipes/pretrain/config.ts";
import { backwardOrder, firstNotFinite } from "../../recipes/pretrain/first_not_finite.ts";
import { type Health, healthAfter, newHealth } from "../../recipes/pretrain/guard.ts";
import { stepInputs } from "../../recipes/pretrain/inputs.ts";
import { checkConfig, loadConfig } from "../../recipes/pretrain/load_config.ts";
import { lossInputs, stepOptions, stepPrograms, zeroSums } from "../../recipes/pretrain/step.ts";
import { initialState, optimizerOf, type TrainState } from "../../recipes/pretrain/train.ts";
import type { Row } from "../../recipes/run/rows.ts";
import { gpuFor } from "./any_gpu.ts";
import { tinyData, tinyRun, trainTiny } from "./tiny_run.ts";

const { vocabulary, train } = tinyData(24);
const base: PretrainConfig = { ...tinyRun, model: { ...tinyRun.model, layers: 2, dropout: 0.1 } };
const gpu = await gpuFor("mixed precision");
const devices: readonly Device[] = [cpu(), ...gpu ? [gpu] : []];

const valuesOf = async (tree: unknown): Promise<Float64Array> => {
  const all = await Promise.all(
    leaves(tree as Tree<AnyTensor>).map(async (x) => [...await read(x as Tensor)]),
  );
  return Float64Array.from(all.flat());
};

/** |a - b| / |b| */
function apart(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((x, i) => x - b[i]!)) / Math.hypot(...b);
}

/** The gradient of the third step's batch, the loss scale taken out. */
async function gradient(
  precision: Precision,
  device: Device,
  { rows = 4, recompute = false } = {},
): Promise<Float64Array> {
  const config = {
    ...base,
    precision,
    data: { ...base.data, recompute },
  };
  const { model, optimizer } = await initialState(config, vocabulary.tokens.length, device);
  const programs = stepPrograms(config.model, optimizerOf(config), stepOptions(config, device));
  const B = config.data.batch, batches = trainBatches(train, vocabulary, { seed: 1, B });
  let sums = zeroSums(model);
  const predictions = batches(2).total, own = lossInputs(optimizer);
  for (let from = 0; from < B; from += rows) {
    const part = batches(2, from, from + rows);
    sums = programs.accumulate(model, sums, stepInputs(part, 2, from, predictions), own);
  }
  const scale = own.scale ? (await read(own.scale))[0]! : 1;
  assertEquals(scale, precision === "f16" ? 32_768 : 1);
  return (await valuesOf(sums.grads)).map((x) => x / scale);
}

/** Half a unit in the last place, relative: what one rounding to it may be off by. */
const rounding = { f16: 2 ** -11, bf16: 2 ** -8 } as const;

for (const device of devices) {
  for (const precision of ["f16", "bf16"] as const) {
    const u = rounding[precision];
    Deno.test(`gradients in ${precision} on ${device.kind} are those of f32 but for its rounding, in micro-batches too; recompute changes no bit`, async () => {
      const exact = await gradient("f32", device), found = await gradient(precision, device);
      const error = apart(found, exact);
      assertLess(error, 8 * u);
      assert(error > u / 8, "it is computed in the narrow type");
      assertLess(apart(await gradient(precision, device, { rows: 2 }), found), 4 * u);
      const again = await gradient(precision, device, { recompute: true });
      if (device.kind === "cpu") assertEquals(again, found);
      else assertLess(apart(again, found), 1e-6);
    });
  }
}

interface Course {
  readonly rows: readonly Row[];
  readonly saved: readonly TrainState[];
}

/** A short run, each step logged. */
async function course(config: PretrainConfig, device: Device): Promise<Course> {
  const rows: Row[] = [], saved: TrainState[] = [];
  await trainTiny({ ...config, evalEvery: 0, logEvery: 1 }, device, {
    metrics: (row) => rows.push(row),
    checkpoint: (state) => Promise.resolve(void saved.push(state)),
  });
  return { rows, saved };
}

/** So high that every gradient overflows, and comes down to where none does in so many steps. */
const HIGH = 2 ** 40;
const scaled = (lossScale: Partial<PretrainConfig["lossScale"]>): PretrainConfig => ({
  ...base,
  precision: "f16",
  lossScale: { ...base.lossScale, ...lossScale },
});

for (const device of devices) {
  Deno.test(`on ${device.kind} steps whose gradients overflow in f16 are skipped, halve the scale and count nowhere else`, async () => {
    const config = { ...scaled({ first: HIGH, growEvery: 6 }), steps: 45, checkpointEvery: 45 };
    const { rows, saved } = await course(config, device);
    const scales = rows.map((row) => row.loss_scale as number);
    const isSkipped = rows.map(({ skipped }) => skipped === 1);
    assertEquals(scales[0], HIGH);
    assert(isSkipped[0] && !isSkipped.at(-1));
    let good = 0, taken = 0;
    rows.forEach((row, i) => {
      good = isSkipped[i] ? 0 : good + 1;
      const next = isSkipped[i] ? scales[i]! / 2 : good % 6 === 0 ? scales[i]! * 2 : scales[i]!;
      if (i + 1 < rows.length) assertEquals(scales[i + 1], next, `after step ${i + 1}`);
      // The schedule is one of the steps that were taken.
      if (i > 0 && isSkipped[i]) assertEquals(row.lr, taken === 0 ? rows[0]!.lr : row.lr);
      if (!isSkipped[i]) taken++;
      assert(Number.isFinite(row.loss), "the forward pass does not overflow");
    });
    assert(scales.some((scale, i) => i > 0 && scale > scales[i - 1]!), "it grows again");
    const state = saved.at(-1)!.optimizer;
    const held = Object.fromEntries(paths(state as unknown as Tree<AnyTensor>));
    const whole = async (path: string): Promise<number> => (await read(held[path] as Tensor))[0]!;
    assertEquals(await whole("lossScale.skipped"), rows.length - taken);
    assertEquals(await whole("count"), taken);
  });
}

Deno.test("steps that are all skipped change no weight and no moment", async () => {
  const device = cpu(), config = { ...scaled({ first: HIGH }), steps: 7, checkpointEvery: 7 };
  const { rows, saved: [state] } = await course(config, device);
  assertEquals(rows.map(({ skipped }) => skipped), Array(7).fill(1));
  const start = await initialState(config, vocabulary.tokens.length, device);
  assertEquals(await valuesOf(state!.model), await valuesOf(start.model));
  const { lossScale: _, ...moments } = state!.optimizer;
  const { lossScale: __, ...before } = start.optimizer;
  assertEquals(await valuesOf(moments), await valuesOf(before));
});

for (const device of devices) {
  Deno.test(`on ${device.kind} a run that overflows at the lowest scale stops after 8 steps, saves, and names the parameter`, async () => {
    const config = { ...scaled({ first: HIGH, floor: HIGH }), steps: 40 };
    const saved: number[] = [];
    const { message } = await assertRejects(
      () =>
        trainTiny({ ...config, evalEvery: 0, checkpointEvery: 100, logEvery: 3 }, device, {
          checkpoint: ({ step }) => Promise.resolve(void saved.push(step)),
          stepsBefore: 100,
        }),
      DivergedError,
    );
    assertEquals(
      message,
      "Cannot go on with motian-tiny in f16: from step 101 on, 8 steps in a row had gradients that are not finite at the " +
        "lowest loss scale, 1099511627776; first not finite at step 101: the gradient of head.bias; " +
        "go on with --init and this run's folder and --set precision=bf16 (or f32), or lower optimizer.rate",
    );
    assertEquals(saved, [9], "as soon as it was logged");
  });
}

Deno.test("what is first not finite is found in weights, forward pass, loss and gradients, and which parameter's gradient is", async () => {
  const device = cpu(), config = scaled({});
  const { model, optimizer } = await initialState(config, vocabulary.tokens.length, device);
  const batch = trainBatches(train, vocabulary, { seed: 1, B: 8 })(0, 0, 4);
  const inputs = stepInputs(batch, 0, 0, batch.total), find = firstNotFinite(config, device);
  const own = lossInputs(optimizer);
  assertEquals(await find(model, inputs, own), undefined);
  const first = model.encoder.layers[0]!;
  const withBias = (x: number): typeof model => ({
    ...model,
    encoder: {
      ...model.encoder,
      layers: [
        {
          ...first,
          feedForward: {
            ...first.feedForward,
            down: { ...first.feedForward.down, b: tensor(Array(16).fill(x)) as never },
          },
        },
        ...model.encoder.layers.slice(1),
      ],
    },
  });
  assertEquals(
    (await find(withBias(65_520), inputs, own))!.first,
    "the weights encoder.layers.0.feedForward.down.b as f16",
  );
  assertEquals(await find(withBias(NaN), inputs, own), {
    first: "the weights encoder.layers.0.feedForward.down.b as f16",
    parameter: "head.bias",
  });
});

Deno.test("parameters come in the order of a backward pass", async () => {
  const { model } = await initialState(base, vocabulary.tokens.length, reference());
  const order = backwardOrder(paths(model as unknown as Tree<AnyTensor>).map(([path]) => path));
  const at = (start: string): number => order.findIndex((path) => path.startsWith(start));
  const places = [
    "head.",
    "encoder.norm.",
    "encoder.layers.1.feedForward.down.",
    "encoder.layers.1.attention.",
    "encoder.layers.0.norm1.",
    "encoder.shared.",
    "encoder.embeddings.",
  ]
    .map(at);
  assert(!places.includes(-1), order.join("\n"));
  assertEquals([...places].sort((a, b) => a - b), places);
});

const V = 1000;
const row = (step: number, loss: number | null, skipped: number, loss_scale = 1): Row => ({
  step,
  loss,
  skipped,
  loss_scale,
});
const after = (...rows: readonly Row[]): Health =>
  rows.reduce((health, r) => healthAfter(health, r, V), newHealth(V));

Deno.test("steps that a loss scale skips are no divergence; a loss of steps that were taken may be", () => {
  const skips = after(row(10, 6, 0), row(20, null, 10), row(30, null, 10));
  assertEquals([skips.diverged, skips.good, skips.skipped], [undefined, 9, 20]);
  assertEquals(after(row(10, 6, 0), row(20, null, 10), row(30, 5, 2)).skipped, 0);
  assertStringIncludes(after(row(10, 6, 0), row(20, null, 3)).diverged!, "not finite");
  assert(after(row(10, 90, 1), row(20, 90, 1), row(30, 90, 1)).diverged !== undefined);
});

const refused: readonly (readonly [change: string, message: string])[] = [
  ["precision=f8", 'precision is "f8", it must be "f32", "f16" or "bf16"'],
  ["precision=16", 'precision is 16, it must be "f32", "f16" or "bf16"'],
  ["precision=F16", 'precision is "F16", it must be "f32", "f16" or "bf16"'],
  [
    "lossScale.first=1000",
    "lossScale.first is 1000, it must be a power of two from 2^-100 to 2^100",
  ],
  ["lossScale.floor=65536", "lossScale.floor is 65536, it must not be above lossScale.first 32768"],
  ["lossScale.growEvery=0", "lossScale.growEvery is 0, it must be a whole number of at least 1"],
];

for (const [change, message] of refused) {
  Deno.test(`--set ${change} is refused in a line`, async () => {
    const error = await assertRejects(() => loadConfig("motian-tiny", [change]), InputError);
    assertEquals(error.message, `Cannot use --set ${change}: ${message}`);
  });
}

Deno.test("the configuration of a run from before there was a precision is one of f32", async () => {
  const { precision: _, lossScale: __, ...old } = await loadConfig("motian-tiny", []);
  assertEquals(checkConfig(old, "config.json"), await loadConfig("motian-tiny", []));
});
