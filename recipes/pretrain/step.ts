/**
 * One training step as two programs, replayed: `accumulate(model, sums, batch)` for every micro-batch, then
 * `apply(model, state, sums)`. Between them stands an exchange of the sums, where data-parallel training will sum over workers.
 *
 * Gradients are of the sum of the losses, and are divided by the sum of the weights once, in `apply`: any split of a batch into
 * micro-batches gives the gradient of the whole.
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
  globalNorm,
  isFinite,
  jit,
  type Jitted,
  key,
  leaves,
  mapTree,
  not,
  reshape,
  sizesOf,
  type Tensor,
  type Tree,
  valueGradAux,
  vmap,
  zeros,
} from "../../core/mod.ts";
import type { Dropout } from "../../nn/mod.ts";
import type { Optimizer, OptimizerState } from "../../optim/mod.ts";
import type { ModelConfig, PretrainConfig } from "./config.ts";
import { type MlmInputs, mlmLoss, type Model } from "./model.ts";

/** What micro-batches add up to. */
export interface Sums {
  readonly grads: Model;
  readonly loss: Tensor<[]>;
  readonly weight: Tensor<[]>;
  readonly correct: Tensor<[]>;
}

/** A micro-batch, and where it stands in the run: randomness depends on nothing else. */
export interface StepInputs extends MlmInputs {
  /** Number of the step, from 0. */
  readonly step: Tensor<[], "i32">;
  /** Number of the first sequence within the step's whole batch. */
  readonly first: Tensor<[], "i32">;
}

/** What `apply` reports, in the order of its metrics vector. */
export const metricNames = ["loss", "weight", "correct", "grad_norm", "lr", "skipped"] as const;

/** What one step leaves behind. */
export interface Applied {
  readonly model: Model;
  readonly state: OptimizerState;
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
}

/** How a configuration's steps are compiled. */
export function stepOptions({ seed, model, data }: PretrainConfig, device: Device): StepOptions {
  return { device, seed, dropout: model.dropout, recompute: data.recompute };
}

/** The programs of a step. */
export interface StepPrograms {
  readonly accumulate: Jitted<[Model, Sums, StepInputs], Sums>;
  readonly apply: Jitted<[Model, OptimizerState, Sums], Applied>;
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
  };
}

/** One key for each sequence: (seed, step, place in the step's batch). */
function exampleKeys(seed: number, inputs: StepInputs): AnyTensor {
  const root = foldIn(key(seed), inputs.step), count = sizesOf(inputs.ids)[0]!;
  const places = add(arange(count), inputs.first);
  return vmap((place: Tensor<[], "i32">) => foldIn(root, place))(places as AnyTensor);
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
  { device, seed, dropout, recompute }: StepOptions,
): StepPrograms {
  const gradient = valueGradAux((model: Model, inputs: StepInputs) => {
    const source: Dropout<"B"> | undefined = dropout > 0
      ? { rate: dropout, keys: exampleKeys(seed, inputs) as never }
      : undefined;
    const loss = mlmLoss(model, inputs, config, { ...source && { dropout: source }, recompute });
    return [loss.sum, loss] as const;
  });
  const accumulate = (model: Model, sums: Sums, inputs: StepInputs): Sums => {
    const { grads, aux } = gradient(model, inputs);
    return {
      grads: addTrees(sums.grads, grads),
      loss: add(sums.loss, aux.sum),
      weight: add(sums.weight, aux.weight),
      correct: add(sums.correct, aux.correct),
    };
  };
  const apply = (model: Model, state: OptimizerState, sums: Sums): Applied => {
    const grads = mapTree(
      sums.grads as unknown as Tree<AnyTensor>,
      (g) => div(g, sums.weight) as AnyTensor,
    ) as unknown as Model;
    const finite = isFinite(globalNorm(grads));
    const next = optimizer.step(model, grads, state, finite);
    const { grad_norm, lr } = next.metrics;
    const loss = div(sums.loss, sums.weight), correct = div(sums.correct, sums.weight);
    const row = [loss, sums.weight, correct, grad_norm!, lr!, cast(not(finite), "f32")];
    return {
      model: next.params,
      state: next.state,
      sums: zeroSums(model),
      metrics: concat(row.map((x): AnyTensor => reshape(x, [1])), 0),
    };
  };
  return {
    accumulate: jit(accumulate, { device, donate: [1] }),
    apply: jit(apply, { device, donate: [0, 1, 2] }),
  };
}
