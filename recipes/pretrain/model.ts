/**
 * The model that pretraining trains: an encoder and a masked-language-model head tied to its token rows.
 *
 * Sizes come from a configuration at run time, so their axes have names: V tokens, C width, H heads of width K, F hidden.
 *
 * @module
 */
import { size, type Tensor } from "../../core/mod.ts";
import {
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
  schemes,
  type TensorsOf,
} from "../../nn/mod.ts";
import type { ModelConfig } from "./config.ts";

/** Parameters before they exist. */
export interface ModelSpec {
  readonly encoder: EncoderSpec<"V", "C", "H", "K", "F">;
  readonly head: MlmHeadSpec<"V", "C">;
}

/** A model's tensors. */
export type Model = TensorsOf<ModelSpec>;

/** How the encoder is put together. */
export function encoderOptions(config: ModelConfig): EncoderOptions {
  return { scheme: schemes[config.scheme], norm: config.norm };
}

/** The specs of a model over `vocabulary` tokens. */
export function modelSpec(config: ModelConfig, vocabulary: number): ModelSpec {
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

/** Scores of every token at the masked places. */
export function predict(
  model: Model,
  inputs: Pick<MlmInputs, "ids" | "keep" | "positions">,
  config: ModelConfig,
  pass: { readonly dropout?: Dropout<"B">; readonly recompute?: boolean } = {},
): Tensor<["P", "V"]> {
  const { hidden } = encode(model.encoder, inputs, encoderOptions(config), pass);
  return mlmLogits(model.head, model.encoder.embeddings.tokens, hidden, inputs.positions);
}

/** The loss of a batch, as sums. */
export function mlmLoss(
  model: Model,
  inputs: MlmInputs,
  config: ModelConfig,
  pass: { readonly dropout?: Dropout<"B">; readonly recompute?: boolean } = {},
): LossSum {
  return crossEntropy(predict(model, inputs, config, pass), inputs.labels, inputs.weights);
}
