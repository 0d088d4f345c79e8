/** What a dry run says, against what runs take. */
import { assert, assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import { cpu, type Device, DeviceError, reference, webgpu } from "../../core/mod.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import {
  type ClickConfig,
  configurations,
  NONE_SIMULATED,
  type Precision,
  type PretrainConfig,
} from "../../recipes/pretrain/config.ts";
import { checkFit, deviceFor, fitLine, fitOf, MARGIN } from "../../recipes/pretrain/fit.ts";
import { forecast } from "../../recipes/pretrain/forecast.ts";
import { gpuFor } from "./any_gpu.ts";
import { madeClicks } from "./made_clicks.ts";
import { tinyData, tinyRun, trainTiny } from "./tiny_run.ts";

const click: ClickConfig = {
  ...{
    log: "x",
    simulated: NONE_SIMULATED,
    loss: "listwise",
    docs: 4,
    length: 32,
    batch: 8,
    microBatch: 4,
  },
  ...{ mlm: true, weights: "uncertainty", share: 1, clip: 10, heldOut: 0.1 },
};

/** Runs whose memory is of different kinds. Two steps, then evaluation. */
const runs: readonly PretrainConfig[] = [
  {
    ...tinyRun,
    name: "activations",
    model: { ...tinyRun.model, layers: 2, width: 64, hidden: 256, dropout: 0.1 },
    data: { ...tinyRun.data, length: 64, batch: 16, microBatch: 8 },
    steps: 2,
  },
  {
    ...tinyRun,
    name: "weights",
    model: { ...tinyRun.model, layers: 2, width: 192, hidden: 768, scheme: "motian-shared" },
    data: { ...tinyRun.data, batch: 8, microBatch: 4, recompute: true },
    optimizer: { ...tinyRun.optimizer, stateDtype: "bf16" },
    steps: 2,
  },
  {
    ...tinyRun,
    name: "halves",
    model: { ...tinyRun.model, layers: 2, width: 64, hidden: 256, dropout: 0.1 },
    data: { ...tinyRun.data, length: 64, batch: 16, microBatch: 16 },
    precision: "f16",
    steps: 2,
    evalEvery: 0,
  },
  {
    ...tinyRun,
    name: "long",
    model: { ...tinyRun.model, width: 32, heads: 2, scheme: "t5", norm: "post" },
    data: { ...tinyRun.data, length: 256, batch: 4, microBatch: 4 },
    steps: 2,
    evalEvery: 0,
  },
  {
    ...tinyRun,
    name: "clicks beside text",
    model: { ...tinyRun.model, layers: 2, width: 64, hidden: 256, dropout: 0.1 },
    data: { ...tinyRun.data, length: 64, batch: 16, microBatch: 8 },
    click,
    steps: 2,
  },
  {
    ...tinyRun,
    name: "clicks",
    model: { ...tinyRun.model, layers: 2, width: 64, hidden: 256 },
    click: { ...click, length: 96, batch: 8, microBatch: 4, mlm: false, weights: "fixed" },
    steps: 2,
  },
];

async function takesWhatItSays(config: PretrainConfig, device: Device): Promise<void> {
  const { vocabulary } = tinyData(config.data.length);
  const { memory } = forecast(config, vocabulary.tokens.length, device);
  assertEquals(device.usage(), { bytes: 0, storages: 0 });
  assertEquals(device.peakBytes(), 0, "a forecast puts nothing on the device");
  const shown = madeClicks(vocabulary.tokens.length, 20);
  const clickData = { train: shown, heldOut: shown, notes: [], simulated: true };
  await trainTiny(config, device, {}, config.click ? { clickData } : {});
  const took = device.peakBytes();
  assert(took >= device.usage().bytes);
  assertAlmostEquals(memory.total / took, 1, 0.1, `${JSON.stringify(memory)}, it took ${took}`);
  device.destroy();
}

for (const config of runs) {
  Deno.test(`forecast: a run of mostly ${config.name} takes within 10 % of it on cpu`, () =>
    takesWhatItSays(config, cpu()));
  Deno.test(`forecast: a run of mostly ${config.name} takes within 10 % of it with 64-bit addresses`, () =>
    takesWhatItSays(config, cpu({ memory: "16GiB" })));
}
if (await gpuFor("forecast")) {
  for (const config of runs) {
    Deno.test(`forecast: a run of mostly ${config.name} takes within 10 % of it on webgpu`, async () =>
      takesWhatItSays(config, await webgpu({ software: true })));
  }
}

Deno.test("forecast: what is kept for the backward pass takes less than three quarters in f16 and bf16, on cpu", () => {
  const scratch = (precision: Precision): number =>
    forecast({ ...configurations["motian-base"]!, precision }, 21_128, cpu()).memory.scratch;
  const whole = scratch("f32");
  for (const precision of ["f16", "bf16"] as const) assertLess(scratch(precision), 0.75 * whole);
});

Deno.test("forecast: the reference runs without a plan; parameters are counted all the same", () => {
  const { parameters, memory, flops } = forecast(tinyRun, 1000, reference());
  const { total, embeddings, layers, positions, head } = parameters;
  assertEquals(embeddings, 1000 * 16);
  assertEquals(total, embeddings + layers + positions + head);
  assertEquals([memory.scratch, flops.total], [0, 0]);
});

Deno.test("forecast: motian-1b has 1.25 billion parameters and fits 64-bit addresses, with its own micro-batches and with 4 x 128", () => {
  const named = configurations["motian-1b"]!, device = cpu();
  const short = { ...named.data, length: 128, batch: 4, microBatch: 4 };
  for (const data of [named.data, short]) {
    const { parameters, memory, tokens, flops } = forecast({ ...named, data }, 21_128, device);
    assertAlmostEquals(parameters.total, 1.25e9, 0.01e9);
    assertEquals(memory.weights + memory.gradients + memory.moments > 12 * parameters.total, true);
    assertEquals(fitOf(memory.total, "cpu").memory, "16GiB");
    // 2 a parameter of the layers and token forward, twice that backward, and forward once more, but for what nobody asks for again.
    const share = flops.total / (parameters.layers * tokens);
    assert(share > 7.5 && share < 9, `${share}`);
  }
  assertEquals(device.peakBytes(), 0);
});

const GIB = 2 ** 30;

Deno.test("fitOf takes the smallest memory that leaves a margin, and no more than the machine has", () => {
  const edge = (bytes: number): number => Math.floor(bytes / (1 + MARGIN));
  assertEquals(fitOf(edge(4 * GIB), "cpu").memory, "4GiB");
  assertEquals(fitOf(edge(4 * GIB) + 64, "cpu").memory, "16GiB");
  assertEquals(fitOf(edge(16 * GIB), "cpu").fits, true);
  const { fits, available, memory } = fitOf(edge(16 * GIB) + 64, "cpu");
  assertEquals([fits, available, memory], [false, 16 * GIB, undefined]);
  const small = fitOf(3 * GIB, "cpu", 2 * GIB);
  assertEquals([small.fits, small.available], [false, 2 * GIB]);
  assertEquals(fitOf(100 * GIB, "webgpu").available, null);
});

Deno.test("a run that does not fit is refused with what it needs, what there is and what to do", () => {
  const config = tinyRun, found = forecast(config, 1000, reference());
  const large = { ...found, memory: { ...found.memory, total: 17.5 * GIB } };
  const message =
    "Cannot train motian-tiny: it takes 17.5 GiB (18.4 GiB with a margin of 5 %), and the cpu device has 16.0 GiB at most here; " +
    'lower data.microBatch (4), data.length, model\'s sizes or set data.recompute to true or set optimizer.stateDtype to "bf16"';
  const error = assertThrows(
    () => checkFit(config, large, fitOf(large.memory.total, "cpu")),
    InputError,
  );
  assertEquals(error.message, message);
  assertEquals(
    fitLine(large, fitOf(large.memory.total, "cpu")),
    "memory: 17.5 GiB of 16.0 GiB",
  );
  const middling = { ...found, memory: { ...found.memory, total: 5 * GIB } };
  assertEquals(
    fitLine(middling, fitOf(5 * GIB, "cpu")),
    "memory: 5.00 GiB of 16.0 GiB with 64-bit addresses",
  );
});

Deno.test("a run beyond 4 GiB gets a device of 64-bit addresses, others the device that they were planned on", () => {
  const planned = cpu(), wide = deviceFor(fitOf(5 * GIB, "cpu"), planned);
  assertEquals(deviceFor(fitOf(GIB, "cpu"), planned), planned);
  assert((wide.planner.capacity ?? 0) > 4 * GIB);
  wide.destroy();
});

Deno.test("a tensor that no storage can hold is refused when it is planned", () => {
  const { planner } = cpu();
  assertThrows(() => planner.storageBytes(2 ** 31, "f32"), DeviceError, "Cannot put a tensor of");
});
