/**
 * What units weigh in the loss, where rare classes are to count as much as frequent ones.
 *
 * @module
 */
import type { Unit } from "../unit.ts";

/** `none`: every unit weighs 1. `balanced`: every class weighs the same. */
export type ClassWeights = "none" | "balanced";

/**
 * A weight for every unit of one class each: n / (k · n_c) for n units, of which n_c are of its class, and k classes that occur.
 *
 * All classes have the same sum, and the mean of all weights is 1: the rate need not change.
 *
 * Source: King and Zeng 2001; the same as `class_weight="balanced"` in scikit-learn.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { balancedWeights } from "./class_weights.ts";
 *
 * const of = (target: number) => ({ rows: [], target: [target] });
 * assertEquals(balancedWeights([of(0), of(0), of(0), of(2)]), [2 / 3, 2 / 3, 2 / 3, 2]);
 * ```
 */
export function balancedWeights(units: readonly Unit[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const { target } of units) counts.set(target[0]!, (counts.get(target[0]!) ?? 0) + 1);
  return units.map(({ target }) => units.length / (counts.size * counts.get(target[0]!)!));
}
