/**
 * Stages: the same model learns from longer and longer sequences.
 *
 * A stage begins with the weights of the one before, a new optimiser and a schedule of its own; its data is packed for its length. Steps are
 * counted through all stages.
 *
 * Source: two stages, of 128 and 512 tokens, as in the Motian article; with a new warm-up, as NVIDIA's recipe for BERT.
 *
 * @module
 */
import type { Row } from "../run/rows.ts";
import type { PretrainConfig } from "./config.ts";
import { withRule } from "./lamb_rule.ts";

/** A stage of a run. */
export interface Stage {
  /** The configuration of the stage alone. */
  readonly config: PretrainConfig;
  /** Number of the stage, from 1. */
  readonly number: number;
  /** Steps of the stages before. */
  readonly offset: number;
}

/** Seeds of stages are so far apart: their masks, orders and dropout have nothing in common. */
const SEEDS = 7919;

/** The stages of a configuration. */
export function stagesOf(config: PretrainConfig): readonly Stage[] {
  const { then, ...first } = withRule(config);
  const configs = [
    { ...first, then: [] },
    ...then.map((stage, i): PretrainConfig => ({
      ...first,
      data: {
        ...first.data,
        length: stage.length,
        batch: stage.batch,
        microBatch: stage.microBatch,
      },
      optimizer: { ...first.optimizer, rate: stage.rate, warmup: stage.warmup },
      steps: stage.steps,
      seed: (first.seed + SEEDS * (i + 1)) % 2 ** 32,
      then: [],
    })),
  ];
  let offset = 0;
  return configs.map((config, i) => {
    const stage = { config, number: i + 1, offset };
    offset += config.steps;
    return stage;
  });
}

/** Steps of all stages. */
export function totalSteps({ steps, then }: PretrainConfig): number {
  return then.reduce((sum, stage) => sum + stage.steps, steps);
}

/**
 * The stage that a run of so many steps goes on in: the last, when all are done. At the end of a stage it is the next one, of which no
 * step is taken.
 */
export function stageAt(stages: readonly Stage[], step: number): Stage {
  return stages.findLast(({ offset }) => offset <= step) ?? stages[0]!;
}

/** A row of a stage as files have it: counted through all stages. */
export function countedRow(
  row: Row,
  { number, offset }: Pick<Stage, "number" | "offset">,
  stages: readonly Stage[],
): Row {
  return { ...row, step: offset + row.step, ...stages.length > 1 && { stage: number } };
}

/** A configuration of so many steps in all, shared out over its stages as before. */
export function withSteps(config: PretrainConfig, total: number): PretrainConfig {
  const before = totalSteps(config),
    scaled = (n: number): number => Math.max(1, Math.round(n * total / before));
  const then = config.then.map((stage) => ({ ...stage, steps: scaled(stage.steps) }));
  const rest = then.reduce((sum, { steps }) => sum + steps, 0);
  return { ...config, then, steps: Math.max(1, total - rest) };
}

/** A configuration whose last stage goes on until so many steps are taken in all. */
export function extended(config: PretrainConfig, total: number): PretrainConfig {
  const more = total - totalSteps(config), last = config.then.at(-1);
  if (!last) return { ...config, steps: total };
  const then = [...config.then.slice(0, -1), { ...last, steps: Math.max(1, last.steps + more) }];
  return { ...config, then };
}
