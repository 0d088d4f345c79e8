/**
 * One whole training step of a named configuration on a cpu device, on random tokens: does the model fit, what does a step take and
 * what was foreseen, are the loss finite and the weights changed? A row of JSON.
 *
 *     deno run --allow-all recipes/bench/one_step.ts motian-1b 4 128
 *
 * Tokens are random, so the loss of the first step must stand near ln V.
 *
 * @module
 */
import { resourceUsage } from "node:process";
import {
  type AnyTensor,
  cpu,
  jit,
  leaves,
  read,
  sizesOf,
  type Tensor,
  type Tree,
} from "../../core/mod.ts";
import { parameterCount } from "../../nn/mod.ts";
import { checkFit, deviceFor, fitLine, fitOf } from "../pretrain/fit.ts";
import { forecast } from "../pretrain/forecast.ts";
import { stepInputs } from "../pretrain/inputs.ts";
import { loadConfig } from "../pretrain/load_config.ts";
import { modelSpec } from "../pretrain/model.ts";
import { metricNames, stepOptions, stepPrograms, zeroSums } from "../pretrain/step.ts";
import { initialState, optimizerOf } from "../pretrain/train.ts";

const [name = "motian-1b", sequences = "4", tokens = "128"] = Deno.args;
const named = await loadConfig(name), B = Number(sequences), T = Number(tokens);
const V = named.data.vocabularySize, P = Math.ceil(T * named.mask.share);
const config = {
  ...named,
  data: { ...named.data, length: T, batch: B, microBatch: B },
  // A schedule that starts above 0, so that the one step moves the weights.
  optimizer: { ...named.optimizer, warmup: 0 },
  evalEvery: 0,
};
const foreseen = forecast(config, V, cpu()), fit = fitOf(foreseen.memory.total, "cpu");
console.error(fitLine(foreseen, fit));
checkFit(config, foreseen, fit);
const device = deviceFor(fit, cpu());
const seconds = async <R>(work: () => R | Promise<R>): Promise<readonly [R, number]> => {
  const began = performance.now(), made = await work();
  await device.synchronize();
  return [made, (performance.now() - began) / 1000];
};
const say = (what: string): void =>
  console.error(`${what}: device ${(device.usage().bytes / 2 ** 30).toFixed(2)} GiB`);

/** Tokens of a linear congruential generator: Numerical Recipes' constants. */
function randomTokens(count: number, seed: number): Int32Array<ArrayBuffer> {
  let state = seed;
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * V);
  });
}

const [start, initSeconds] = await seconds(() => initialState(config, V, device));
say("weights and moments");
const sums = jit(zeroSums, { device })(start.model);
say("and gradient sums");
const programs = stepPrograms(config.model, optimizerOf(config), stepOptions(config, device));
const batch = {
  B,
  T,
  P,
  ids: randomTokens(B * T, 1),
  keep: new Float32Array(B * T).fill(1),
  positions: Int32Array.from({ length: B * P }, (_, i) => Math.floor(i / P) * T + i % P),
  labels: randomTokens(B * P, 2),
  weights: new Float32Array(B * P).fill(1),
};
const inputs = stepInputs(batch as never, 0, 0);
const probe = (tree: unknown): AnyTensor =>
  leaves(tree as Tree<AnyTensor>).findLast((t) => sizesOf(t).length > 1) as AnyTensor;
const GiB = (bytes: number): number => bytes / 2 ** 30;
const scratch = {
  accumulate: GiB(programs.accumulate.explain(start.model, sums, inputs, {}).scratchBytes),
  apply: GiB(programs.apply.explain(start.model, start.optimizer, sums).scratchBytes),
};
console.error(JSON.stringify(scratch));
say("programs compiled");
const before = (await read(probe(start.model) as Tensor)).slice();
const [added, accumulateSeconds] = await seconds(() =>
  programs.accumulate(start.model, sums, inputs, {})
);
say("accumulated");
const [applied, applySeconds] = await seconds(() =>
  programs.apply(start.model, start.optimizer, added)
);
const after = await read(probe(applied.model) as Tensor);
const metrics = await read(applied.metrics as Tensor);
console.log(JSON.stringify({
  config: name,
  parameters: parameterCount(modelSpec(config.model, V)),
  tokens: B * T,
  ...Object.fromEntries(metricNames.map((key, i) => [key, metrics[i]])),
  log_vocabulary: Math.log(V),
  changed_share_of_one_matrix: before.filter((x, i) => x !== after[i]).length / before.length,
  init_s: initSeconds,
  accumulate_s: accumulateSeconds,
  apply_s: applySeconds,
  scratch_gib: scratch,
  device_gib: GiB(device.usage().bytes),
  foreseen_gib: GiB(foreseen.memory.total),
  device_peak_gib: GiB(device.peakBytes()),
  peak_rss_gib: resourceUsage().maxRSS / 2 ** 20,
}));
device.destroy();
