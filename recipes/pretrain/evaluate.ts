/**
 * Held-out perplexity.
 *
 * @module
 */
import {
  add,
  type Device,
  dispose,
  jit,
  type Jitted,
  readNumber,
  type Tensor,
  zeros,
} from "../../core/mod.ts";
import type { Batch } from "../data/batches.ts";
import type { ClickEvaluation } from "./click_task.ts";
import type { ModelConfig } from "./config.ts";
import { mlmInputs } from "./inputs.ts";
import { type MlmInputs, mlmLoss, type Model } from "./model.ts";
import { pacer } from "./pace.ts";

/** What a model reaches on held-out text. */
export interface Evaluation {
  /** exp of the mean negative log-likelihood of the masked tokens. */
  readonly perplexity: number;
  /** Share of the masked tokens that the model puts first. */
  readonly accuracy: number;
  /** Masked tokens. */
  readonly count: number;
  /** Of held-out impressions, where clicks are learnt. */
  readonly clicks?: ClickEvaluation;
}

/** What batches add up to. */
export interface Totals {
  readonly sum: Tensor<[]>;
  readonly weight: Tensor<[]>;
  readonly correct: Tensor<[]>;
}

/** Totals of no batch. */
export const noTotals = (): Totals => ({ sum: zeros([]), weight: zeros([]), correct: zeros([]) });

/** Adds a batch to totals, which it takes over. */
export function evaluationProgram(
  config: ModelConfig,
  device: Device,
): Jitted<[Model, Totals, MlmInputs], Totals> {
  return jit((model: Model, totals: Totals, inputs: MlmInputs): Totals => {
    const loss = mlmLoss(model, inputs, config);
    return {
      sum: add(totals.sum, loss.sum),
      weight: add(totals.weight, loss.weight),
      correct: add(totals.correct, loss.correct),
    };
  }, { device, donate: [1] });
}

/** A function that evaluates a model on some batches; its program is compiled once. */
export function evaluator(
  config: ModelConfig,
  device: Device,
): (model: Model, batches: readonly Batch[]) => Promise<Evaluation> {
  const addBatch = evaluationProgram(config, device);
  const keepPace = pacer(device);
  return async (model, batches) => {
    let totals = noTotals();
    for (const batch of batches) {
      const inputs = mlmInputs(batch);
      totals = addBatch(model, totals, inputs);
      dispose(inputs);
      await keepPace();
    }
    const [sum, count, correct] = await Promise.all([
      readNumber(totals.sum),
      readNumber(totals.weight),
      readNumber(totals.correct),
    ]);
    dispose(totals);
    return { perplexity: Math.exp(sum / count), accuracy: correct / count, count };
  };
}
