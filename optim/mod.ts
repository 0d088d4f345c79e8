/**
 * Optimisers as chains of pure transforms: LAMB with gradient normalisation and bias correction, AdamW, SGD, and
 * the parts that they are made of.
 *
 * @module
 */
export { type AdamOptions, scaleByAdam } from "./adam.ts";
export { adamw, type AdamWOptions } from "./adamw.ts";
export { addDecayedWeights } from "./decay.ts";
export { type GradientNorm, normalizeGradients } from "./gradient_norm.ts";
export { type Group, noDecay, type Settings, settingsOf } from "./groups.ts";
export { lamb, type LambOptions } from "./lamb.ts";
export { scaleByLearningRate } from "./learning_rate.ts";
export {
  freshLossScale,
  type LossScaleOptions,
  type LossScaleState,
  nextLossScale,
  unscaled,
} from "./loss_scale.ts";
export { momentum } from "./momentum.ts";
export { isMatrix, oneBitLamb, type OneBitLambOptions } from "./one_bit_lamb.ts";
export {
  type Optimizer,
  optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type Sent,
  type Stepped,
} from "./optimizer.ts";
export {
  constantRate,
  cosine,
  linear,
  polynomial,
  type Rate,
  rateAt,
  type Schedule,
  type WarmupOptions,
} from "./schedule.ts";
export { sgd, type SgdOptions } from "./sgd.ts";
export {
  chain,
  type Leaf,
  type State,
  stateless,
  type Step,
  type Transform,
  type Updated,
} from "./transform.ts";
export { scaleByTrustRatio, type TrustRatioOptions } from "./trust_ratio.ts";
