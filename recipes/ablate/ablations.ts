/**
 * All ablations, in the order of the report. A new one is one more entry.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { anyOf, suggestion } from "../cli/nearest.ts";
import type { Ablation } from "./ablation.ts";
import { clickTask, taskWeights } from "./claims/clicks.ts";
import { maskPolicies, maskUnits } from "./claims/masking.ts";
import { normPlace } from "./claims/normalisation.ts";
import { optimizers } from "./claims/optimizer.ts";
import { extrapolation, positionsLong, positionsShort } from "./claims/positions.ts";
import { twoStages } from "./claims/stages.ts";

/** The ablations. */
export const ablations: readonly Ablation[] = [
  positionsShort,
  positionsLong,
  extrapolation,
  maskUnits,
  maskPolicies,
  clickTask,
  taskWeights,
  normPlace,
  optimizers,
  twoStages,
];

/**
 * The ablations of some names, `a,b`; all without.
 *
 * @throws InputError at a name that there is not.
 */
export function chosenAblations(only: string | undefined): readonly Ablation[] {
  if (only === undefined) return ablations;
  const names = ablations.map(({ name }) => name);
  return only.split(",").map((word) => {
    const found = ablations.find(({ name }) => name === word.trim());
    if (found) return found;
    const advice = suggestion(word.trim(), names, `the ablations are ${anyOf(names)}`);
    throw new InputError(`Cannot ablate ${JSON.stringify(word.trim())}: ${advice}`);
  });
}
