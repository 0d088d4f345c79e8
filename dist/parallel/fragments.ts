/**
 * Which part of the parameters is exchanged when: in `every` steps each of some equal spans once, evenly one after the other, the last
 * one after the last of them.
 *
 * Source: Douillard et al. 2025, arXiv 2501.18512, whose fragments are of whole layers.
 *
 * @module
 */
import { chunkOf, type Span } from "../group/chunk.ts";

/** When fragments are exchanged. */
export interface FragmentPlan {
  /** Steps in which all of them are. */
  readonly every: number;
  /** From 1 to `every`. */
  readonly fragments: number;
}

/**
 * The fragments of parameters that have so many elements together, all leaves in a row.
 *
 * @example
 * ```ts
 * import { fragmentsOf } from "./fragments.ts";
 * console.log(fragmentsOf(10, 3)); // [ { from: 0, to: 3 }, { from: 3, to: 6 }, { from: 6, to: 10 } ]
 * ```
 */
export function fragmentsOf(length: number, fragments: number): readonly Span[] {
  return Array.from({ length: fragments }, (_, i) => chunkOf(length, i, fragments));
}

/**
 * The fragment whose exchange begins after the step of this number, from 1; undefined if none does.
 *
 * @throws RangeError where there are more fragments than steps
 *
 * @example
 * ```ts
 * import { fragmentBegunAfter } from "./fragments.ts";
 * const plan = { every: 4, fragments: 2 };
 * console.log([1, 2, 3, 4, 5, 6].map((step) => fragmentBegunAfter(step, plan)));
 * // [ undefined, 0, undefined, 1, undefined, 0 ]
 * ```
 */
export function fragmentBegunAfter(
  step: number,
  { every, fragments }: FragmentPlan,
): number | undefined {
  if (!(fragments >= 1 && fragments <= every)) {
    throw new RangeError(
      `Cannot exchange ${fragments} fragments in ${every} steps: there must be one at least and no more than steps`,
    );
  }
  if (step < 1) return undefined;
  // Fragment i begins after step ⌊(i + 1) every / fragments⌋ of the period: at most one does after each.
  const at = (step - 1) % every + 1, next = Math.ceil(at * fragments / every);
  return Math.floor(next * every / fragments) === at ? next - 1 : undefined;
}
