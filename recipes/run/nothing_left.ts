/**
 * What a run says that is resumed and has no step left to take.
 *
 * @module
 */

/**
 * A line where `step` steps of `total` are taken and none is left, else undefined. `isEvaluated`: is there an evaluation all the same?
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nothingLeft } from "./nothing_left.ts";
 *
 * assertEquals(nothingLeft(7, 8, true), undefined);
 * assertEquals(
 *   nothingLeft(8, 4, false),
 *   "nothing is left to do: 8 steps are taken, more than 4; a larger --steps goes on",
 * );
 * ```
 */
export function nothingLeft(step: number, total: number, isEvaluated: boolean): string | undefined {
  if (step < total) return undefined;
  const taken = step === total
    ? `all ${total} steps are taken`
    : `${step} steps are taken, more than ${total}`;
  const rest = isEvaluated ? ", and what was learnt is evaluated again" : "";
  return `nothing is left to do: ${taken}${rest}; a larger --steps goes on`;
}
