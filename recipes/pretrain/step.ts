/**
 * One training step as two programs, replayed: `accumulate(model, sums, batch)` for every micro-batch, then
 * `apply(model, state, sums)`. Between them stands an exchange of the sums, where data-parallel training will sum over workers.
 *
 * Every loss is divided by its weight in the whole batch, which the inputs tell: any split of a batch into micro-batches gives the gradient
 * of the whole. Where clicks are learnt too, `accumulateClicks` takes micro-batches of impressions, and each task's loss is weighted by how
 * uncertain it is.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  concat,
  type Device,
  div,
  full,
  globalNorm,
  greater,
  isFinite,
  jit,
  type Jitted,
  leaves,
  mapTree,
  maximum,
  not,
  reshape,
  sizesOf,
  type Tensor,
  type Tree,
  valueGradAux,
  zeros,
} from "../../core/mod.ts";
import type { LossSum } from "../../nn/mod.ts";
import {
  freshLossScale,
  type LossScaleState,
  nextLossScale,
  type Optimizer,
  type OptimizerState,
  unscaled,
} from "../../optim/mod.ts";
import type { LossScaleConfig, ModelConfig, PretrainConfig } from "./config.ts";
import type { Model } from "./model.ts";
import {
  type ClickStepInputs,
  type LossInputs,
  type LossOptions,
  shares,
  type StepInputs,
  stepLosses,
} from "./step_losses.ts";
import { freshTasks, learnTasks, type TaskState } from "./task_weights.ts";

/** What micro-batches add up to. */
export interface Sums {
  readonly grads: Model;
  readonly loss: Tensor<[]>;
  readonly weight: Tensor<[]>;
  readonly correct: Tensor<[]>;
  /** Of clicks. */
  readonly clickLoss: Tensor<[]>;
  readonly clickWeight: Tensor<[]>;
}

/** What an optimiser remembers, how the tasks are weighted where their weights are learnt, and the loss scale of f16. */
export type LearnState = OptimizerState & {
  readonly tasks?: TaskState;
  readonly lossScale?: LossScaleState;
};

/** The state of a configuration's learning before its first step. */
export function freshLearning(
  { click, precision, lossScale }: PretrainConfig,
  optimizer: Optimizer,
  model: Model,
): LearnState {
  return {
    ...optimizer.init(model),
    ...click?.weights === "uncertainty" && { tasks: freshTasks() },
    ...precision === "f16" && { lossScale: freshLossScale(lossScale) },
  };
}

/** What the micro-batches of a step are told of the state. */
export function lossInputs({ tasks, lossScale }: LearnState): LossInputs {
  return { ...tasks && { s: tasks.s }, ...lossScale && { scale: lossScale.scale } };
}

/** What `apply` reports, in the order of its metrics vector. */
export const metricNames = [
  "loss",
  "weight",
  "correct",
  "grad_norm",
  "lr",
  "skipped",
  "click_loss",
  "click_weight",
  "mlm_share",
  "click_share",
  "loss_scale",
  "stuck",
] as const;

/** What one step leaves behind. */
export interface Applied {
  readonly model: Model;
  readonly state: LearnState;
  /** Zeros, for the next step. */
  readonly sums: Sums;
  /** See `metricNames`; stays on the device until somebody reads it. */
  readonly metrics: AnyTensor;
}

/** How steps are compiled. */
export interface StepOptions extends LossOptions {
  readonly device: Device;
  readonly lossScale: LossScaleConfig;
  /** Does the optimiser move only some of the parameters, by gradients that are normalised as parts of the whole? */
  readonly isPart?: boolean;
  /** Processes that take the step together, where the optimiser says what they send each other; 1 if left out. */
  readonly processes?: number;
}

/** How a configuration's steps are compiled. */
export function stepOptions(
  { seed, model, data, click, precision, lossScale }: PretrainConfig,
  device: Device,
): StepOptions {
  const { dropout } = model, { recompute } = data;
  return { device, seed, dropout, recompute, click, precision, lossScale };
}

/** The programs of a step. */
export interface StepPrograms {
  readonly accumulate: Jitted<[Model, Sums, StepInputs, LossInputs], Sums>;
  readonly accumulateClicks: Jitted<[Model, Sums, ClickStepInputs, LossInputs], Sums>;
  readonly apply: Jitted<[Model, LearnState, Sums], Applied>;
  /** What is sent instead of sums, and the sums of what was sent, where the optimiser sends something else. */
  readonly carry?: Jitted<[LearnState, Sums], Sums>;
  readonly land?: Jitted<[LearnState, Sums], Sums>;
}

/** Zeros to add to. */
export function zeroSums(model: Model): Sums {
  const grads = mapTree(
    model as unknown as Tree<AnyTensor>,
    (p) => zeros([...sizesOf(p)]) as AnyTensor,
  );
  return {
    grads: grads as unknown as Model,
    loss: zeros([]),
    weight: zeros([]),
    correct: zeros([]),
    clickLoss: zeros([]),
    clickWeight: zeros([]),
  };
}

function addTrees<T>(a: T, b: T): T {
  const other = leaves(b as Tree<AnyTensor>);
  let i = 0;
  return mapTree(a as Tree<AnyTensor>, (x) => add(x, other[i++]!) as AnyTensor) as T;
}

/** Compiles the programs of a training step. */
export function stepPrograms(
  config: ModelConfig,
  optimizer: Optimizer,
  options: StepOptions,
): StepPrograms {
  const { device, click, processes = 1 } = options, { sent } = optimizer;
  const { text, clicks } = stepLosses(config, options);
  const textGradient = valueGradAux(text), clickGradient = valueGradAux(clicks);
  const accumulate = (
    model: Model,
    sums: Sums,
    inputs: StepInputs,
    own: LossInputs,
  ): Sums => {
    const { grads, aux } = textGradient(model, inputs, own);
    return { ...sums, grads: addTrees(sums.grads, grads), ...added(sums, aux) };
  };
  const accumulateClicks = (
    model: Model,
    sums: Sums,
    inputs: ClickStepInputs,
    own: LossInputs,
  ): Sums => {
    const { grads, aux: { clicked, masked } } = clickGradient(model, inputs, own);
    return {
      ...sums,
      grads: addTrees(sums.grads, grads),
      ...added(sums, masked),
      clickLoss: add(sums.clickLoss, clicked.sum),
      clickWeight: add(sums.clickWeight, clicked.weight),
    };
  };
  const apply = (
    model: Model,
    { tasks, lossScale, ...state }: LearnState,
    sums: Sums,
  ): Applied => {
    const grads = lossScale ? unscaled(sums.grads, lossScale) : sums.grads;
    const norm = globalNorm(grads), finite = isFinite(norm);
    const next = optimizer.step(model, grads, state, finite, options.isPart ? norm : undefined);
    const scaling = lossScale && nextLossScale(lossScale, finite, options.lossScale);
    const { grad_norm, lr } = next.metrics;
    const mean = (loss: Tensor<[]>, weight: Tensor<[]>): Tensor<[]> =>
      div(loss, maximum(weight, TINY));
    const loss = mean(sums.loss, sums.weight), correct = mean(sums.correct, sums.weight);
    const clicks = mean(sums.clickLoss, sums.clickWeight);
    const counts = shares(tasks ? { s: tasks.s } : {}, click);
    const both = (a: Tensor<[]>, b: Tensor<[]>): Tensor<[2]> => stack(a, b) as AnyTensor;
    const learnt = tasks && learnTasks(
      tasks,
      both(loss, clicks),
      both(cast(greater(sums.weight, 0), "f32"), cast(greater(sums.clickWeight, 0), "f32")),
      cast(finite, "f32"),
    );
    return {
      model: next.params,
      state: {
        ...next.state,
        ...learnt && { tasks: learnt },
        ...scaling && { lossScale: scaling },
      },
      sums: zeroSums(model),
      metrics: stack(
        ...[loss, sums.weight, correct, grad_norm!, lr!, cast(not(finite), "f32")],
        ...[clicks, sums.clickWeight, ...counts],
        ...[lossScale?.scale ?? full([], 1), scaling ? cast(scaling.stuck, "f32") : zeros([])],
      ),
    };
  };
  return {
    accumulate: jit(accumulate, { device, donate: [1] }),
    accumulateClicks: jit(accumulateClicks, { device, donate: [1] }),
    apply: jit(apply, { device, donate: [0, 1, 2] }),
    ...sent && {
      carry: jit(
        (state: LearnState, sums: Sums): Sums => ({
          ...sums,
          grads: sent.carry(sums.grads, state, 1 / processes),
        }),
        { device, donate: [1] },
      ),
      land: jit(
        (state: LearnState, sums: Sums): Sums => ({ ...sums, grads: sent.land(sums.grads, state) }),
        { device, donate: [1] },
      ),
    },
  };
}

/** Divides nothing by nothing. */
const TINY = 1e-30;

/** Numbers in a row. */
function stack(...scalars: readonly Tensor<[]>[]): AnyTensor {
  return concat(scalars.map((x): AnyTensor => reshape(x, [1])), 0);
}

/** What a batch of predictions adds to the sums. */
function added(
  sums: Sums,
  { sum, weight, correct }: LossSum,
): Pick<Sums, "loss" | "weight" | "correct"> {
  return {
    loss: add(sums.loss, sum),
    weight: add(sums.weight, weight),
    correct: add(sums.correct, correct),
  };
}
