/** AdamW. */
import { type AdamOptions, scaleByAdam } from "./adam.ts";
import { addDecayedWeights } from "./decay.ts";
import { type GradientNorm, normalizeGradients } from "./gradient_norm.ts";
import { scaleByLearningRate } from "./learning_rate.ts";
import { type Optimizer, optimizer, type OptimizerOptions } from "./optimizer.ts";
import type { Rate } from "./schedule.ts";
import { chain } from "./transform.ts";

/** Options of AdamW. */
export interface AdamWOptions extends AdamOptions, OptimizerOptions {
  /** Learning rate η. */
  readonly rate: Rate;
  /** How gradients are normalised; `off`. */
  readonly gradNorm?: GradientNorm;
  /** The norm that `clip` allows; 1. */
  readonly maxNorm?: number;
}

/**
 * Adam with decoupled weight decay: w ← w - η (m̂ / (√v̂ + ε) + λ w).
 *
 * Defaults: β = (0.9, 0.999), ε = 1e-8, λ = 0.01, gradients as they are.
 *
 * Source: Loshchilov and Hutter 2019; equal to torch.optim.AdamW.
 */
export function adamw(options: AdamWOptions): Optimizer {
  const { epsilon = 1e-8, decay = 0.01, gradNorm = "off", maxNorm = 1 } = options;
  return optimizer(
    chain(
      normalizeGradients(gradNorm, maxNorm),
      scaleByAdam({ ...options, epsilon }),
      addDecayedWeights(),
      scaleByLearningRate(options.rate),
    ),
    { ...options, decay },
  );
}
