/**
 * Fine-tuning: a model learns the units of a task, epoch after epoch.
 *
 * @module
 */
import { add, type Device, dispose, jit, readNumber, type Tensor, tensor } from "../../core/mod.ts";
import type { EncoderOptions } from "../../nn/mod.ts";
import { adamw, noDecay, type OptimizerState, polynomial } from "../../optim/mod.ts";
import { pacer } from "../pretrain/pace.ts";
import type { Head } from "./heads/head.ts";
import { adversarial, type Adversary } from "./learning/adversary.ts";
import { layerDecay } from "./learning/layer_decay.ts";
import { averageOf, movedSums, noSums } from "./learning/moving_average.ts";
import { type StepInputs, stepLoss } from "./learning/loss.ts";
import type { TaskModel } from "./task_model.ts";
import { epochBatches, rowInputs, targetInputs } from "./unit_batches.ts";
import type { Unit } from "./unit.ts";

/** How a model learns. */
export interface FineTuneConfig {
  readonly epochs: number;
  /** Units of a step. */
  readonly batch: number;
  /** Highest learning rate of AdamW, after the share `warmup` of the steps; it falls linearly to 0. */
  readonly rate: number;
  readonly warmup: number;
  readonly decay: number;
  readonly dropout: number;
  /** Factor on the rate from each block to the one below it; 1. */
  readonly layerDecay?: number;
  /** How much a moving average of the weights keeps at each step, where one is to be judged in their place; 0. */
  readonly ema?: number;
  /** Weight of R-Drop; 0. */
  readonly rDrop?: number;
  /** Who disturbs the token embeddings; none. */
  readonly adversary?: Adversary;
  readonly seed: number;
}

/** What is learnt, and where. */
export interface Learning {
  readonly head: Head;
  readonly options: EncoderOptions;
  readonly units: readonly Unit[];
  /** What each unit weighs in the loss, 1 in the mean; 1 each. */
  readonly weights?: readonly number[];
  readonly pad: number;
  readonly device: Device;
}

/** What training tells and asks its surroundings. */
export interface FineTuneHooks {
  /** After a step; the loss is the mean of the last steps. */
  readonly progress: (step: number, total: number, loss: number) => void;
  /** After an epoch, counted from 1; the model is lent. */
  readonly epoch: (number: number, model: TaskModel) => Promise<void>;
  /** Asked after every step. */
  readonly stop: () => boolean;
}

/** Steps between two looks at the loss. */
const LOOK = 20;

/** The moving sums of a model, where there are any. */
interface Sums {
  readonly of?: TaskModel;
}

/** Trains a model, which is taken over; gives it as it is after the last step, or its average over the steps. */
export async function fineTune(
  start: TaskModel,
  { head, options, units, weights, pad, device }: Learning,
  { epochs, batch: U, seed, ...config }: FineTuneConfig,
  hooks: FineTuneHooks,
): Promise<TaskModel> {
  const total = epochs * Math.ceil(units.length / U), warmup = Math.round(config.warmup * total);
  const learner = adamw({
    rate: polynomial({ peak: config.rate, total, warmup, power: 1 }),
    decay: config.decay,
    gradNorm: "clip",
    groups: [...layerDecay(config.layerDecay ?? 1, start.encoder.layers.length), noDecay],
  });
  const { dropout, ema = 0, rDrop = 0, adversary = { kind: "none" } } = config;
  const gradient = adversarial(stepLoss({ head, options, dropout, seed, rDrop }), adversary);
  const step = jit(
    (
      model: TaskModel,
      state: OptimizerState,
      sums: Sums,
      loss: Tensor<[]>,
      inputs: StepInputs,
    ) => {
      const { value, grads } = gradient(model, inputs);
      const { params, state: next } = learner.step(model, grads, state);
      const moved: Sums = sums.of ? { of: movedSums(sums.of, params, ema) } : {};
      return { model: params, state: next, sums: moved, sum: add(loss, value) };
    },
    { device, donate: [0, 1, 2, 3] },
  );
  let model = start, state = jit((m: TaskModel) => learner.init(m), { device })(start);
  let sums: Sums = ema > 0 ? { of: jit((m: TaskModel) => noSums(m), { device })(start) } : {};
  const average = jit((s: TaskModel, factor: Tensor<[]>) => averageOf(s, factor), { device });
  let sum: Tensor<[]> = tensor(0), done = 0, shown = NaN;
  const keepPace = pacer(device);
  const averaged = (): TaskModel =>
    sums.of && done > 0 ? average(sums.of, tensor(1 / (1 - ema ** done))) : model;
  for (let epoch = 1; epoch <= epochs && !hooks.stop(); epoch++) {
    for (const batch of epochBatches(units, U, seed, epoch)) {
      if (hooks.stop()) break;
      const inputs: StepInputs = {
        ...rowInputs(units, batch, U, head, pad),
        ...targetInputs(units, batch, U, head, weights),
        step: tensor(done, "i32"),
        share: tensor(1 / batch.units.length),
      };
      ({ model, state, sums, sum } = step(model, state, sums, sum, inputs));
      dispose(inputs);
      done++;
      await keepPace();
      if (done % LOOK === 0) {
        shown = await readNumber(sum) / LOOK;
        dispose(sum);
        sum = tensor(0);
      }
      hooks.progress(done, total, shown);
    }
    const shownModel = averaged();
    await hooks.epoch(epoch, shownModel);
    if (shownModel !== model) dispose(shownModel);
  }
  const learnt = averaged();
  dispose([state, sums, sum]);
  if (learnt !== model) dispose(model);
  return learnt;
}
