/** LAMB, with the choices that its versions differ in. */
import { type AdamOptions, scaleByAdam } from "./adam.ts";
import { addDecayedWeights } from "./decay.ts";
import { type GradientNorm, normalizeGradients } from "./gradient_norm.ts";
import { scaleByLearningRate } from "./learning_rate.ts";
import { type Optimizer, optimizer, type OptimizerOptions } from "./optimizer.ts";
import type { Rate } from "./schedule.ts";
import { chain } from "./transform.ts";
import { scaleByTrustRatio, type TrustRatioOptions } from "./trust_ratio.ts";

/** Options of LAMB. */
export interface LambOptions extends AdamOptions, OptimizerOptions {
  /** Learning rate η. */
  readonly rate: Rate;
  /** How gradients are normalised; `clip`. */
  readonly gradNorm?: GradientNorm;
  /** The norm that `clip` allows; 1. */
  readonly maxNorm?: number;
  /** Which parameters are scaled by their trust ratio. */
  readonly trustRatio?: TrustRatioOptions;
}

/**
 * LAMB: Adam's direction, decayed, scaled layer by layer to the size of the weights.
 *
 * ĝ = normalised g; u = m̂ / (√v̂ + ε) + λ w; w ← w - η · φ(‖w‖)/‖u‖ · u. m̂ and v̂ are m / (1 - β₁^t) and v / (1 - β₂^t), or with
 * `biasCorrection: false` m and v: the paper's algorithm and NVIDIA's code correct them, the paper's appendix E says that warm-up does for it.
 *
 * Defaults are NVLAMB's: clip at norm 1, trust ratio where there is decay, β = (0.9, 0.999), ε = 1e-6, λ = 0.01.
 *
 * Source: You et al. 2020 (arXiv 1904.00962v5), algorithm 2; apex csrc/multi_tensor_lamb.cu.
 *
 * @example
 * ```ts
 * import { read, tensor } from "@motian/motian";
 * import { lamb } from "@motian/motian/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = lamb({ rate: 0.1 });
 * const params = { w: tensor([3, 4]) };
 * const { params: next } = optimizer.step(params, { w: tensor([1, 1]) }, optimizer.init(params));
 * const moved = (await read(next.w)).map((x, i) => x - [3, 4][i]!);
 * assertAlmostEquals(Math.hypot(...moved), 0.5, 1e-5); // rate · ‖w‖
 * ```
 */
export function lamb(options: LambOptions): Optimizer {
  const { gradNorm = "clip", maxNorm = 1, decay = 0.01 } = options;
  return optimizer(
    chain(
      normalizeGradients(gradNorm, maxNorm),
      scaleByAdam(options),
      addDecayedWeights(),
      scaleByTrustRatio(options.trustRatio),
      scaleByLearningRate(options.rate),
    ),
    { ...options, decay },
  );
}
