/**
 * How a task is learnt: what the options say, else what the task does.
 *
 * @module
 */
import type { FineTuneConfig } from "../fine_tune.ts";
import type { ClueOptions } from "../options.ts";
import type { Task } from "../task.ts";
import type { Adversary } from "./adversary.ts";
import type { ClassWeights } from "./class_weights.ts";
import type { Cell } from "./grid.ts";

/** How a task is learnt. */
export interface TaskConfig extends FineTuneConfig {
  /** `none` where it is left out. */
  readonly classWeights?: ClassWeights;
  /** Epochs in a row without a better dev score after which learning stops; undefined goes on to the last. */
  readonly patience?: number | undefined;
  /** The mean of the weights of so many best epochs answers, where it is better on the dev split than each; 1. */
  readonly average?: number;
}

function adversaryOf(
  { adversary: kind, epsilon = 1, "adversary-steps": steps = 3 }: ClueOptions,
): Adversary {
  return kind === "pgd" ? { kind, epsilon, steps } : kind === "fgm" ? { kind, epsilon } : { kind };
}

/** What no option asks for. */
export const usual = { warmup: 0.1, decay: 0.01 } as const;

/** The configuration of a task and a seed; what a grid has chosen comes first. */
export function taskConfig(
  { defaults, head }: Task,
  options: ClueOptions,
  seed: number,
  cell: Partial<Cell> = {},
): TaskConfig {
  return {
    epochs: options.epochs ?? defaults.epochs,
    batch: options.batch ?? defaults.batch,
    rate: options.rate ?? defaults.rate,
    ...usual,
    dropout: options.dropout ?? defaults.dropout,
    // From scratch no block knows more than another.
    layerDecay: options["layer-decay"] ?? (options.scratch ? 1 : defaults.layerDecay),
    ema: options.ema,
    rDrop: options.rdrop,
    adversary: adversaryOf(options),
    classWeights: head.classes === undefined ? "none" : options["class-weights"],
    patience: options.patience,
    average: options.average,
    seed,
    ...cell,
  };
}

/** The option that means nothing to a task, and why; undefined where all do. */
export function unfitFor({ head }: Task, options: ClueOptions): string | undefined {
  const weights = options["class-weights"];
  return weights !== "none" && head.classes === undefined
    ? `--class-weights ${weights}: its answers are no classes`
    : undefined;
}
