/**
 * Which cells are trained, and in which order.
 *
 * @module
 */
import type { PretrainConfig } from "../pretrain/config.ts";
import { changed } from "../pretrain/load_config.ts";
import type { Ablation, Question, Variant } from "./ablation.ts";
import { baseConfig } from "./base.ts";

/** One training: a variant with a seed. */
export interface Cell {
  readonly ablation: string;
  readonly variant: Variant;
  readonly seed: number;
  /** Resolved: all that a result depends on, beside the corpus and the questions. */
  readonly config: PretrainConfig;
  readonly questions: readonly Question[];
}

/** What a plan depends on beside the ablations. */
export interface PlanSettings {
  readonly steps: number;
  readonly seeds: number;
  /** Changes of all configurations, before an ablation's own. */
  readonly set?: readonly string[];
  /** What masking by synonyms reads; variants that need it are left out without. */
  readonly synonyms?: string;
}

/** Can this variant be trained? */
export function isPossible({ needs }: Variant, { synonyms }: PlanSettings): boolean {
  return needs === undefined || synonyms !== undefined;
}

/** A variant's configuration. */
export function configOf(
  { base }: Ablation,
  { changes, needs }: Variant,
  seed: number,
  { steps, set = [], synonyms }: PlanSettings,
): PretrainConfig {
  const own = changed(baseConfig(steps, seed), [...set, ...base]);
  const tables = needs ? [`mask.synonyms=${JSON.stringify(synonyms)}`] : [];
  return changed(own, [...tables, ...typeof changes === "function" ? changes(own) : changes]);
}

/**
 * All cells: every variant of every ablation with the first seed, then with the second, so that what is there after any part of the time
 * compares all variants.
 */
export function cellsOf(ablations: readonly Ablation[], settings: PlanSettings): readonly Cell[] {
  return Array.from({ length: settings.seeds }, (_, i) => i + 1).flatMap((seed) =>
    ablations.flatMap((ablation) =>
      ablation.variants.filter((variant) => isPossible(variant, settings)).map((variant): Cell => ({
        ablation: ablation.name,
        variant,
        seed,
        config: configOf(ablation, variant, seed, settings),
        questions: ablation.questions,
      }))
    )
  );
}
