/**
 * What of a configuration's masks must go together.
 *
 * @module
 */
import { policies } from "../masking/policies.ts";
import type { MaskConfig } from "./config.ts";

/** The rules of such masks: is it so, and what is wrong if it is not. */
export function maskRules(
  mask: MaskConfig,
): readonly (readonly [right: boolean, wrong: string])[] {
  const { units } = mask;
  const sum = units.word + units.phrase + units.ngram + units.span;
  const needs = policies[mask.policy].synonym > 0;
  return [
    [Math.abs(sum - 1) < 1e-9, `mask.units sum to ${sum}, they must sum to 1`],
    [
      !needs || mask.synonyms !== null,
      `mask.policy "${mask.policy}" needs synonyms: give --synonyms FILE, or mine them with deno task data synonyms`,
    ],
    [
      units.phrase === 0 || mask.phrases !== null,
      `mask.units.phrase is ${units.phrase}, it needs phrases: give --phrases FILE|DIR`,
    ],
  ];
}
