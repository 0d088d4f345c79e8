/**
 * What a training step differentiates: the losses of a micro-batch, each divided by its weight in the whole batch, weighted against
 * each other, and scaled where the pass is computed in f16.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  arange,
  cast,
  foldIn,
  full,
  key,
  mul,
  reshape,
  sizesOf,
  slice,
  type Tensor,
  vmap,
  zeros,
} from "../../core/mod.ts";
import { crossEntropy, type LossSum, lowered } from "../../nn/mod.ts";
import { type ClickLoss, clickLosses } from "../click/losses.ts";
import type { ClickConfig, ModelConfig, Precision } from "./config.ts";
import {
  type ClickInputs,
  clickScores,
  logitsAt,
  type MlmInputs,
  mlmLoss,
  type Model,
  type Pass,
} from "./model.ts";
import { taskWeights } from "./task_weights.ts";

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

/** What losses are multiplied with, as far as it is learnt: log variances of the tasks, and the loss scale of f16. */
export interface LossInputs {
  readonly s?: Tensor<[2]>;
  readonly scale?: Tensor<[]>;
}

/** How losses are computed. */
export interface LossOptions {
  readonly seed: number;
  readonly dropout: number;
  readonly recompute: boolean;
  readonly click: ClickConfig | null;
  readonly precision: Precision;
}

/** One key for each sequence: (seed, step, place in the step's batch). */
function exampleKeys(seed: number, inputs: Place & Pick<MlmInputs, "ids">): AnyTensor {
  const root = foldIn(key(seed), inputs.step), count = sizesOf(inputs.ids)[0]!;
  const places = add(arange(count), inputs.first);
  return vmap((place: Tensor<[], "i32">) => foldIn(root, place))(places as AnyTensor);
}

/** How much the losses of both tasks count. */
export function shares(
  { s }: LossInputs,
  click: ClickConfig | null,
): readonly [mlm: Tensor<[]>, click: Tensor<[]>] {
  if (!s) return [full([], 1), full([], click?.share ?? 1)];
  const weights = taskWeights({ s });
  return [0, 1].map((k) => reshape(slice(weights, 0, k, k + 1), [])) as [Tensor<[]>, Tensor<[]>];
}

/** How the pass over a micro-batch runs. */
export function passOf(
  { seed, dropout, recompute }: LossOptions,
  inputs: Place & Pick<MlmInputs, "ids">,
): Pass {
  return {
    recompute,
    ...dropout > 0 && { dropout: { rate: dropout, keys: exampleKeys(seed, inputs) as never } },
  };
}

/** What is differentiated: the loss of a micro-batch, weighted and scaled, and what it adds to the sums. */
export interface Losses {
  readonly text: (
    model: Model,
    inputs: StepInputs,
    own: LossInputs,
  ) => readonly [Tensor<[]>, LossSum];
  readonly clicks: (
    model: Model,
    inputs: ClickStepInputs,
    own: LossInputs,
  ) => readonly [Tensor<[]>, { readonly clicked: ClickLoss; readonly masked: LossSum }];
}

/** The losses of a step. The pass is computed in the configuration's precision, losses are f32. */
export function stepLosses(config: ModelConfig, options: LossOptions): Losses {
  const { click, precision } = options;
  const scaled = (loss: Tensor<[]>, { scale }: LossInputs): Tensor<[]> =>
    scale ? mul(loss, scale) : loss;
  return {
    text: (model, inputs, own) => {
      const loss = mlmLoss(lowered(model, precision), inputs, config, passOf(options, inputs));
      const [share] = shares(own, click);
      return [scaled(mul(loss.sum, mul(inputs.share, share)), own), loss];
    },
    clicks: (model, inputs, own) => {
      const low = lowered(model, precision);
      const { scores, hidden } = clickScores(low, inputs, config, passOf(options, inputs));
      const [mlmShare, share] = shares(own, click);
      const clicked = clickLosses[click!.loss](cast(scores, "f32"), inputs.shown);
      const masked = click!.mlm
        ? crossEntropy(logitsAt(low, hidden, inputs.positions), inputs.labels, inputs.weights)
        : { sum: zeros([]), weight: zeros([]), correct: zeros([]) };
      const both = add(
        mul(clicked.sum, mul(inputs.clickShare, share)),
        mul(masked.sum, mul(inputs.share, mlmShare)),
      );
      return [scaled(both, own), { clicked, masked }];
    },
  };
}
