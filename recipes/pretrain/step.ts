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
  arange,
  cast,
  concat,
  type Device,
  div,
  foldIn,
  full,
  globalNorm,
  greater,
  isFinite,
  jit,
  type Jitted,
  key,
  leaves,
  mapTree,
  maximum,
  mul,
  not,
  reshape,
  sizesOf,
  slice,
  type Tensor,
  type Tree,
  valueGradAux,
  vmap,
  zeros,
} from "../../core/mod.ts";
import { crossEntropy, type LossSum } from "../../nn/mod.ts";
import { clickLosses } from "../click/losses.ts";
import type { Optimizer, OptimizerState } from "../../optim/mod.ts";
import type { ClickConfig, ModelConfig, PretrainConfig } from "./config.ts";
import {
  type ClickInputs,
  clickScores,
  logitsAt,
  type MlmInputs,
  mlmLoss,
  type Model,
  type Pass,
} from "./model.ts";
import { learnTasks, type TaskState, taskWeights } from "./task_weights.ts";

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

/** Where a micro-batch stands in the run: randomness depends on nothing else. */
export interface Place {
  /** Number of the step, from 0. */
  readonly step: Tensor<[], "i32">;
  /** Number of the first sequence within the step's whole batch; impressions come after all text. */
  readonly first: Tensor<[], "i32">;
  /** 1 / the weight of all predictions of the step. */
  readonly share: Tensor<[]>;
}

/** A micro-batch of text. */
export type StepInputs = MlmInputs & Place;

/** A micro-batch of impressions, and 1 / the weight of all clicks of the step. */
export type ClickStepInputs = ClickInputs & Place & { readonly clickShare: Tensor<[]> };

/** What an optimiser remembers, and how the tasks are weighted where their weights are learnt. */
export type LearnState = OptimizerState & { readonly tasks?: TaskState };

/** Log variances of the tasks; nothing where there is one task, or their weights are fixed. */
export type TaskInputs = Pick<TaskState, "s"> | Readonly<Record<never, never>>;

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
export interface StepOptions {
  readonly device: Device;
  readonly seed: number;
  readonly dropout: number;
  readonly recompute: boolean;
  readonly click: ClickConfig | null;
}

/** How a configuration's steps are compiled. */
export function stepOptions(
  { seed, model, data, click }: PretrainConfig,
  device: Device,
): StepOptions {
  return { device, seed, dropout: model.dropout, recompute: data.recompute, click };
}

/** The programs of a step. */
export interface StepPrograms {
  readonly accumulate: Jitted<[Model, Sums, StepInputs, TaskInputs], Sums>;
  readonly accumulateClicks: Jitted<[Model, Sums, ClickStepInputs, TaskInputs], Sums>;
  readonly apply: Jitted<[Model, LearnState, Sums], Applied>;
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

/** One key for each sequence: (seed, step, place in the step's batch). */
function exampleKeys(seed: number, inputs: Place & Pick<MlmInputs, "ids">): AnyTensor {
  const root = foldIn(key(seed), inputs.step), count = sizesOf(inputs.ids)[0]!;
  const places = add(arange(count), inputs.first);
  return vmap((place: Tensor<[], "i32">) => foldIn(root, place))(places as AnyTensor);
}

function addTrees<T>(a: T, b: T): T {
  const other = leaves(b as Tree<AnyTensor>);
  let i = 0;
  return mapTree(a as Tree<AnyTensor>, (x) => add(x, other[i++]!) as AnyTensor) as T;
}

/** What the losses of both tasks are multiplied with. */
function factors(
  tasks: TaskInputs,
  click: ClickConfig | null,
): readonly [mlm: Tensor<[]>, click: Tensor<[]>] {
  if (!("s" in tasks)) return [full([], 1), full([], click?.share ?? 1)];
  const weights = taskWeights(tasks);
  return [0, 1].map((k) => reshape(slice(weights, 0, k, k + 1), [])) as [Tensor<[]>, Tensor<[]>];
}

/** Compiles the programs of a training step. */
export function stepPrograms(
  config: ModelConfig,
  optimizer: Optimizer,
  { device, seed, dropout, recompute, click }: StepOptions,
): StepPrograms {
  const passOf = (inputs: Place & Pick<MlmInputs, "ids">): Pass => ({
    recompute,
    ...dropout > 0 && { dropout: { rate: dropout, keys: exampleKeys(seed, inputs) as never } },
  });
  const textGradient = valueGradAux((model: Model, inputs: StepInputs, tasks: TaskInputs) => {
    const loss = mlmLoss(model, inputs, config, passOf(inputs)), [factor] = factors(tasks, click);
    return [mul(loss.sum, mul(inputs.share, factor)), loss] as const;
  });
  const clickGradient = valueGradAux((model: Model, inputs: ClickStepInputs, tasks: TaskInputs) => {
    const { scores, hidden } = clickScores(model, inputs, config, passOf(inputs));
    const [mlmFactor, factor] = factors(tasks, click);
    const clicked = clickLosses[click!.loss](scores, inputs.shown);
    const own = mul(clicked.sum, mul(inputs.clickShare, factor));
    const masked = click!.mlm
      ? crossEntropy(
        logitsAt(model, hidden, inputs.positions, config),
        inputs.labels,
        inputs.weights,
      )
      : { sum: zeros([]), weight: zeros([]), correct: zeros([]) };
    return [add(own, mul(masked.sum, mul(inputs.share, mlmFactor))), { clicked, masked }] as const;
  });
  const accumulate = (
    model: Model,
    sums: Sums,
    inputs: StepInputs,
    tasks: TaskInputs,
  ): Sums => {
    const { grads, aux } = textGradient(model, inputs, tasks);
    return { ...sums, grads: addTrees(sums.grads, grads), ...added(sums, aux) };
  };
  const accumulateClicks = (
    model: Model,
    sums: Sums,
    inputs: ClickStepInputs,
    tasks: TaskInputs,
  ): Sums => {
    const { grads, aux: { clicked, masked } } = clickGradient(model, inputs, tasks);
    return {
      ...sums,
      grads: addTrees(sums.grads, grads),
      ...added(sums, masked),
      clickLoss: add(sums.clickLoss, clicked.sum),
      clickWeight: add(sums.clickWeight, clicked.weight),
    };
  };
  const apply = (model: Model, { tasks, ...state }: LearnState, sums: Sums): Applied => {
    const finite = isFinite(globalNorm(sums.grads));
    const next = optimizer.step(model, sums.grads, state, finite);
    const { grad_norm, lr } = next.metrics;
    const mean = (loss: Tensor<[]>, weight: Tensor<[]>): Tensor<[]> =>
      div(loss, maximum(weight, TINY));
    const loss = mean(sums.loss, sums.weight), correct = mean(sums.correct, sums.weight);
    const clicks = mean(sums.clickLoss, sums.clickWeight);
    const shares = factors(tasks ?? {}, click);
    const both = (a: Tensor<[]>, b: Tensor<[]>): Tensor<[2]> => stack(a, b) as AnyTensor;
    const learnt = tasks && learnTasks(
      tasks,
      both(loss, clicks),
      both(cast(greater(sums.weight, 0), "f32"), cast(greater(sums.clickWeight, 0), "f32")),
      cast(finite, "f32"),
    );
    return {
      model: next.params,
      state: { ...next.state, ...learnt && { tasks: learnt } },
      sums: zeroSums(model),
      metrics: stack(
        ...[loss, sums.weight, correct, grad_norm!, lr!, cast(not(finite), "f32")],
        ...[clicks, sums.clickWeight, ...shares],
      ),
    };
  };
  return {
    accumulate: jit(accumulate, { device, donate: [1] }),
    accumulateClicks: jit(accumulateClicks, { device, donate: [1] }),
    apply: jit(apply, { device, donate: [0, 1, 2] }),
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
