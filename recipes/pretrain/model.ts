/**
 * The model that pretraining trains: an encoder and a masked-language-model head tied to its token rows.
 *
 * Sizes come from a configuration at run time, so their axes have names: V tokens, C width, H heads of width K, F hidden.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  einsum,
  reshape,
  size,
  sizesOf,
  slice,
  type Tensor,
} from "../../core/mod.ts";
import {
  constant,
  crossEntropy,
  type Dropout,
  encode,
  type EncoderOptions,
  type EncoderSpec,
  encoderSpec,
  type LossSum,
  type MlmHeadSpec,
  mlmHeadSpec,
  mlmLogits,
  normal,
  type Spec,
  type TensorsOf,
} from "../../nn/mod.ts";
import type { Clicks } from "../click/losses.ts";
import type { ModelConfig } from "./config.ts";
import { schemeOf } from "./positions.ts";

/** Scores a query and a title by what stands at [CLS]. */
export interface ClickHeadSpec {
  readonly w: Spec<["C"], "f32">;
  readonly b: Spec<[], "f32">;
}

/** Parameters before they exist. */
export interface ModelSpec {
  readonly encoder: EncoderSpec<"V", "C", "H", "K", "F">;
  readonly head: MlmHeadSpec<"V", "C">;
  /** Where clicks are learnt. */
  readonly click?: ClickHeadSpec;
}

/** A model's tensors. */
export type Model = TensorsOf<ModelSpec>;

/** How the encoder is put together. */
export function encoderOptions(config: ModelConfig): EncoderOptions {
  const { scheme, maxLength, segments, segmentStd, embeddingNorm, norm, normEpsilon } = config;
  return {
    scheme: schemeOf(config),
    norm,
    epsilon: normEpsilon,
    std: config.std,
    keysLikeQueries: config.keysLikeQueries,
    embeddings: {
      ...scheme === "absolute" && { positions: maxLength },
      segments,
      segmentStd,
      norm: embeddingNorm,
    },
  };
}

/** The specs of a model over `vocabulary` tokens; with `click` it scores titles too. */
export function modelSpec(config: ModelConfig, vocabulary: number, click = false): ModelSpec {
  const sizes = {
    vocabulary: size("V", vocabulary),
    width: size("C", config.width),
    heads: size("H", config.heads),
    headWidth: size("K", config.width / config.heads),
    hidden: size("F", config.hidden),
    layers: config.layers,
  };
  return {
    encoder: encoderSpec(sizes, encoderOptions(config)),
    head: mlmHeadSpec(sizes.vocabulary, sizes.width),
    ...click && { click: { w: normal([sizes.width], 0.02), b: constant([], 0) } },
  };
}

/** A masked batch on its way to the device; P places of masked tokens. */
export interface MlmInputs {
  readonly ids: Tensor<["B", "T"], "i32">;
  readonly keep: Tensor<["B", "T"]>;
  /** b · T + t of each masked token. */
  readonly positions: Tensor<["P"], "i32">;
  readonly labels: Tensor<["P"], "i32">;
  /** 0 for places without a masked token. */
  readonly weights: Tensor<["P"]>;
}

/** How one pass runs. */
export interface Pass {
  readonly dropout?: Dropout<"B">;
  readonly recompute?: boolean;
}

/** Rows of queries and titles on their way to the device: I impressions of D places are B rows. */
export interface ClickInputs extends MlmInputs {
  readonly segments: Tensor<["B", "T"], "i32">;
  readonly shown: Clicks;
}

/** Scores of the rows, and the last hidden states for whoever needs them too. */
export function clickScores(
  model: Model,
  inputs: Pick<ClickInputs, "ids" | "keep" | "segments" | "shown">,
  config: ModelConfig,
  pass: Pass = {},
): { readonly scores: Tensor<["I", "D"]>; readonly hidden: Tensor<["B", "T", "C"]> } {
  const { hidden } = encode(model.encoder, inputs, encoderOptions(config), pass);
  return { scores: scoresOf(model, hidden, inputs.shown), hidden };
}

/** Scores of the rows from what is encoded. */
export function scoresOf(
  model: Model,
  hidden: Tensor<["B", "T", "C"]>,
  { keep }: Pick<Clicks, "keep">,
): Tensor<["I", "D"]> {
  // Rows are impressions by places, which no shape says.
  return reshape(relevancesOf(model.click!, hidden), [...sizesOf(keep)]) as AnyTensor;
}

/** The click head's scores. Shapes: [B, T, C] -> [B]. */
export function relevancesOf(
  { w, b }: NonNullable<Model["click"]>,
  hidden: Tensor<["B", "T", "C"]>,
): AnyTensor {
  return add(einsum("bc,c->b", squeezed(hidden), w), b) as AnyTensor;
}

/** What stands at [CLS]. Shapes: [B, T, C] -> [B, C]. */
function squeezed(hidden: Tensor<["B", "T", "C"]>): Tensor<["B", "C"]> {
  const [B, , C] = sizesOf(hidden);
  return reshape(slice(hidden as AnyTensor, 1, 0, 1) as AnyTensor, [B!, C!]) as AnyTensor;
}

/** Scores of every token at the masked places. */
export function predict(
  model: Model,
  inputs: Pick<MlmInputs, "ids" | "keep" | "positions">,
  config: ModelConfig,
  pass: Pass = {},
): Tensor<["P", "V"]> {
  const { hidden } = encode(model.encoder, inputs, encoderOptions(config), pass);
  return logitsAt(model, hidden, inputs.positions, config);
}

/** Scores of every token at some places of what is encoded. */
export function logitsAt(
  model: Model,
  hidden: Tensor<["B", "T", "C"]>,
  positions: Tensor<["P"], "i32">,
  { normEpsilon }: ModelConfig,
): Tensor<["P", "V"]> {
  return mlmLogits(model.head, model.encoder.embeddings.tokens, hidden, positions, normEpsilon);
}

/** The loss of a batch, as sums. */
export function mlmLoss(
  model: Model,
  inputs: MlmInputs,
  config: ModelConfig,
  pass: Pass = {},
): LossSum {
  return crossEntropy(predict(model, inputs, config, pass), inputs.labels, inputs.weights);
}
