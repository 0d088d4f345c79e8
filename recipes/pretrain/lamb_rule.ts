/**
 * The learning rate and warm-up of a batch, for LAMB, without tuning.
 *
 * Source: You et al. 2020 (arXiv 1904.00962v5), table 4: BERT-large with batches of 512 to 32k sequences.
 *
 * @module
 */
import type { OptimizerConfig, PretrainConfig } from "./config.ts";

/** Batch, rate and warm-up of the paper's smallest run. */
const BATCH = 512, RATE = 5 / (2 ** 3 * 10 ** 3), WARMUP = 1 / 320;
/** The paper's largest warm-up, at 32k; larger batches keep it. */
const LONGEST = 0.2;

/** What a rule says of a batch. */
export type Rates = Pick<OptimizerConfig, "rate" | "warmup">;

/**
 * rate = 5 / (2³ · 10³) · √(batch / 512); warmup = min(0.2, batch / 512 / 320), a share of the steps.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { lambRule } from "./lamb_rule.ts";
 *
 * const { rate, warmup } = lambRule(32_768);
 * assertAlmostEquals(rate, 0.005, 1e-12);
 * assertAlmostEquals(warmup, 0.2, 1e-12);
 * ```
 */
export function lambRule(batch: number): Rates {
  return {
    rate: RATE * Math.sqrt(batch / BATCH),
    warmup: Math.min(LONGEST, batch / BATCH * WARMUP),
  };
}

/** A configuration whose rates are those of its rule, in every stage. */
export function withRule(config: PretrainConfig): PretrainConfig {
  const { optimizer, data, then } = config;
  if (optimizer.rule === "fixed") return config;
  return {
    ...config,
    optimizer: { ...optimizer, ...lambRule(data.batch) },
    then: then.map((stage) => ({ ...stage, ...lambRule(stage.batch) })),
  };
}
