/**
 * Layers as plain functions of typed records: `spec` describes parameters, `init` makes them, a function applies them.
 *
 * @module
 */
export { type Attended, attention } from "./attention/attention.ts";
export { type Bucket, clipped, deberta, exactThenLog, t5, unclipped } from "./attention/bucket.ts";
export { bucketCount, bucketOf, offsetRows, rowSinusoids, sinusoid } from "./attention/index.ts";
export {
  type AttentionParams,
  type AttentionSizes,
  type AttentionSpec,
  attentionSpec,
  type F32,
  type LayerStart,
  type SharedParams,
  type SharedSpec,
  sharedSpec,
} from "./attention/params.ts";
export { type Context, type Positions, positions } from "./attention/positions.ts";
export { type Rows, type Scheme, type SchemeName, schemes } from "./attention/scheme.ts";
export {
  block,
  type BlockOptions,
  type BlockResult,
  type BlockSpec,
  blockSpec,
  type NormPlace,
} from "./block.ts";
export { crfLogLikelihood, crfLogPartition, crfMarginals, crfScore } from "./crf/likelihood.ts";
export { type Crf, type CrfSpec, crfSpec } from "./crf/params.ts";
export { type BestLabels, viterbi } from "./crf/viterbi.ts";
export { type Dropout, dropout, type Keys } from "./dropout.ts";
export { embed, type EmbeddingOptions, type EmbeddingsSpec, embeddingsSpec } from "./embeddings.ts";
export {
  encode,
  type Encoded,
  type EncoderInputs,
  type EncoderOptions,
  type EncoderParams,
  type EncoderSizes,
  type EncoderSpec,
  encoderSpec,
  type PassOptions,
} from "./encoder.ts";
export {
  type Activation,
  activations,
  feedForward,
  type FeedForwardSpec,
  feedForwardSpec,
} from "./feed_forward.ts";
export { type Norm, norm, NORM_EPSILON, type NormSpec, normSpec } from "./layer_norm.ts";
export { linear, type LinearSpec, linearSpec } from "./linear.ts";
export { lowered } from "./lowered.ts";
export {
  crossEntropy,
  type LossSum,
  type MlmHeadSpec,
  mlmHeadSpec,
  mlmLogits,
} from "./mlm_head.ts";
export {
  constant,
  describe,
  given,
  init,
  like,
  normal,
  parameterCount,
  type ParameterInfo,
  placeholders,
  repeat,
  type Spec,
  type specTag,
  type TensorsOf,
} from "./spec.ts";
