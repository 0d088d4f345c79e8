/**
 * Which cells are trained, and in which order.
 *
 * @module
 */
import type { PretrainConfig } from "../pretrain/config.ts";
import { changed } from "../pretrain/load_config.ts";
import { totalSteps } from "../pretrain/stages.ts";
import type { Ablation, ChangesOf, Need, Question, Variant } from "./ablation.ts";
import { baseConfig } from "./base.ts";

/** One training: a variant with a seed. */
export interface Cell {
  readonly ablation: string;
  readonly variant: Variant;
  readonly seed: number;
  /** Resolved: all that a result depends on, beside the corpus and the questions. */
  readonly config: PretrainConfig;
  /** What the model goes on with before it is asked about titles. */
  readonly finish?: PretrainConfig;
  readonly questions: readonly Question[];
}

/** The configurations that a cell is trained by, one after another. */
export function phasesOf(
  { config, finish }: Pick<Cell, "config" | "finish">,
): readonly PretrainConfig[] {
  return finish ? [config, finish] : [config];
}

/** Steps of all phases and stages. */
export function stepsOf(cell: Pick<Cell, "config" | "finish">): number {
  return phasesOf(cell).reduce((sum, config) => sum + totalSteps(config), 0);
}

/** What a plan depends on beside the ablations. */
export interface PlanSettings {
  readonly steps: number;
  readonly seeds: number;
  /** Changes of all configurations, before an ablation's own. */
  readonly set?: readonly string[];
  /** Files of the user's; variants that need one are left out without. */
  readonly files?: { readonly [name in Need]?: string };
  /** A click log, instead of a simulated one. */
  readonly clicks?: string;
}

/** Can this variant be trained? */
export function isPossible({ needs }: Variant, { files = {} }: PlanSettings): boolean {
  return needs === undefined || files[needs] !== undefined;
}

/** A cell: a variant's configurations. */
function cellOf(
  { name, base, finish, questions }: Ablation,
  variant: Variant,
  seed: number,
  { steps, set = [], files = {}, clicks }: PlanSettings,
): Cell {
  const { needs } = variant;
  const altered = (config: PretrainConfig, changes: ChangesOf, more: readonly string[] = []) => {
    const own = typeof changes === "function" ? changes(config) : changes;
    const found = changed(config, [...more, ...own]);
    return found.click === null || clicks === undefined
      ? found
      : changed(found, [`click.log=${JSON.stringify(clicks)}`, "click.simulated.impressions=0"]);
  };
  const tables = needs ? [`mask.${needs}=${JSON.stringify(files[needs])}`] : [];
  const shared = changed(baseConfig(steps, seed), [...set, ...base]);
  const config = altered(shared, variant.changes, tables);
  return {
    ...{ ablation: name, variant, seed, config, questions },
    ...finish && { finish: altered({ ...config, steps: shared.steps, then: [] }, finish) },
  };
}

/**
 * All cells: every variant of every ablation with the first seed, then with the second, so that what is there after any part of the time
 * compares all variants.
 */
export function cellsOf(ablations: readonly Ablation[], settings: PlanSettings): readonly Cell[] {
  return Array.from({ length: settings.seeds }, (_, i) => i + 1).flatMap((seed) =>
    ablations.flatMap((ablation) =>
      ablation.variants.filter((variant) => isPossible(variant, settings)).map((variant) =>
        cellOf(ablation, variant, seed, settings)
      )
    )
  );
}
