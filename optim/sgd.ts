/** Stochastic gradient descent. */
import { addDecayedWeights } from "./decay.ts";
import { type GradientNorm, normalizeGradients } from "./gradient_norm.ts";
import { scaleByLearningRate } from "./learning_rate.ts";
import { momentum } from "./momentum.ts";
import { type Optimizer, optimizer, type OptimizerOptions } from "./optimizer.ts";
import type { Rate } from "./schedule.ts";
import { chain } from "./transform.ts";

/** Options of SGD. */
export interface SgdOptions extends OptimizerOptions {
  /** Learning rate η. */
  readonly rate: Rate;
  /** Momentum μ; 0. */
  readonly momentum?: number;
  /** Nesterov's correction. */
  readonly nesterov?: boolean;
  /** How gradients are normalised; `off`. */
  readonly gradNorm?: GradientNorm;
  /** The norm that `clip` allows; 1. */
  readonly maxNorm?: number;
}

/**
 * w ← w - η (momentum of g + λ w). Equal to torch.optim.SGD with dampening 0.
 */
export function sgd(options: SgdOptions): Optimizer {
  const { momentum: mu = 0, nesterov = false, gradNorm = "off", maxNorm = 1 } = options;
  return optimizer(
    chain(
      normalizeGradients(gradNorm, maxNorm),
      addDecayedWeights(),
      ...(mu === 0 ? [] : [momentum(mu, nesterov)]),
      scaleByLearningRate(options.rate),
    ),
    options,
  );
}
