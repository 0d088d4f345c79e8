/**
 * Sees from its logged rows when a run has diverged, and up to which step it was sound.
 *
 * A run has diverged when a loss is not finite; when 8 steps in a row or more, up to a log, were skipped because their gradients were
 * not finite; or when 3 logs in a row have a loss above 1.5 × the lowest smoothed loss of
 * the stage + 1. That lowest loss begins at ln V, what a model that knows nothing reaches over V tokens: a run that explodes before
 * its first log is seen too.
 *
 * Steps that a loss scale skips, in rows with `loss_scale`, are no divergence: they cost time and no weights, the scale is halved each
 * time, and at its lowest value the loop stops by itself (stuck_scale.ts).
 *
 * Health is a fold over the rows, so that a run which is resumed judges as one that never stopped.
 *
 * @module
 */
import type { Row } from "../run/rows.ts";
import type { PretrainConfig } from "./config.ts";
import { withRule } from "./lamb_rule.ts";

/** Rollbacks of a run before it gives up. */
export const ROLLBACKS = 3;

const TIMES = 1.5, MORE = 1, LOGS = 3, SKIPPED = 8;
/** Share of the smoothed loss that one log makes. */
const SHARE = 0.1;
/** Seeds before and after a rollback are so far apart. */
const SEEDS = 104_729;

/** What is known of a run. */
export interface Health {
  /** Why the run has diverged; undefined while it has not. */
  readonly diverged?: string;
  /** The newest step after which the weights were sound: a later step's loss, or an evaluation, says so. */
  readonly good: number;
  /** The step of the newest row. */
  readonly step: number;
  readonly stage: Row[string] | undefined;
  /** Smoothed loss of the stage; undefined before its first sound row. */
  readonly smoothed?: number;
  readonly lowest: number;
  /** Logs in a row with too high a loss. */
  readonly high: number;
  /** Steps in a row that were skipped, up to the newest log. */
  readonly skipped: number;
}

/** Before the first step of a run over `vocabulary` tokens: the weights of step 0 are sound. */
export function newHealth(vocabulary: number): Health {
  return { good: 0, step: 0, stage: undefined, lowest: Math.log(vocabulary), high: 0, skipped: 0 };
}

/** The health after a row of metrics or an evaluation, whose steps count through all stages. */
export function healthAfter(health: Health, row: Row, vocabulary: number): Health {
  const { smoothed: _, ...old } = health, same = row.stage === health.stage;
  const before = same
    ? health
    : { ...old, stage: row.stage, lowest: Math.log(vocabulary), high: 0, skipped: 0 };
  return row.loss === undefined ? evaluated(before, row) : logged(before, row);
}

const isFinite = (x: Row[string] | undefined): x is number =>
  typeof x === "number" && Number.isFinite(x);

/** A number that a row has as null is written as what it was not. */
const shown = (x: Row[string] | undefined): string =>
  isFinite(x) ? x.toFixed(3) : x === null ? "not finite" : String(x);

const limit = ({ lowest }: Health): number => TIMES * lowest + MORE;

function evaluated(health: Health, { step, mlm_ppl }: Row): Health {
  if (!isFinite(mlm_ppl)) {
    return { ...health, diverged: `the held-out perplexity is ${shown(mlm_ppl)}` };
  }
  const sound = health.high === 0 && health.skipped === 0 && Math.log(mlm_ppl) <= limit(health);
  return sound ? { ...health, good: Math.max(health.good, step) } : health;
}

function logged(health: Health, { step, loss, skipped, loss_scale }: Row): Health {
  const steps = step - health.step;
  if (loss_scale !== undefined && steps > 0 && skipped as number >= steps) {
    return { ...health, step, skipped: health.skipped + steps };
  }
  if (!isFinite(loss)) return { ...health, step, diverged: `the loss is ${shown(loss)}` };
  const none = steps > 0 && (skipped as number) >= steps;
  const now = {
    ...health,
    step,
    skipped: none ? health.skipped + steps : 0,
    high: loss > limit(health) ? health.high + 1 : 0,
  };
  if (now.skipped >= SKIPPED) {
    const diverged = `${now.skipped} steps in a row were skipped, their gradients are not finite`;
    return { ...now, diverged };
  }
  if (now.high >= LOGS) {
    const bound = `${TIMES} x ${health.lowest.toFixed(3)} + ${MORE}`;
    const diverged = `the loss is ${shown(loss)}, above ${bound} for ${LOGS} logs in a row`;
    return { ...now, diverged };
  }
  if (none || now.high > 0) return now;
  const smoothed = (1 - SHARE) * (health.smoothed ?? loss) + SHARE * loss;
  return {
    ...now,
    smoothed,
    lowest: Math.min(health.lowest, smoothed),
    good: Math.max(health.good, step - 1),
  };
}

/** The health after all rows that a run has left, in the order of their making: a step is logged before it is evaluated. */
export function healthOf(
  metrics: readonly Row[],
  evaluations: readonly Row[],
  vocabulary: number,
): Health {
  return [...metrics, ...evaluations]
    .sort((a, b) => a.step - b.step) // stable
    .reduce((health, row) => healthAfter(health, row, vocabulary), newHealth(vocabulary));
}

/** A stage's configuration after so many rollbacks: half the rate each time, and another order of the data, masks and dropout. */
export function afterRollbacks(config: PretrainConfig, rollbacks: number): PretrainConfig {
  if (rollbacks === 0) return config;
  const { optimizer, seed } = withRule(config);
  return {
    ...config,
    optimizer: { ...optimizer, rule: "fixed", rate: optimizer.rate / 2 ** rollbacks },
    seed: (seed + SEEDS * rollbacks) % 2 ** 32,
  };
}
