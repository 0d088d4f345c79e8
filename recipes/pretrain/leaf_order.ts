/**
 * In which order the sums of a step are ready: the backward pass goes from the last layer to the first, and what all layers use is
 * complete after the first.
 *
 * @module
 */

/**
 * Numbers of leaves with these names, the first that is ready first.
 *
 * @example
 * ```ts
 * import { leafOrder } from "./leaf_order.ts";
 * console.log(leafOrder(["encoder.layers.0.w", "encoder.layers.1.w", "encoder.shared.rows"])); // [ 1, 0, 2 ]
 * ```
 */
export function leafOrder(names: readonly string[]): readonly number[] {
  const isLate = (leaf: number): boolean => /\bencoder\.shared\b/.test(names[leaf]!);
  const last = [...names.keys()].reverse();
  return [...last.filter((leaf) => !isLate(leaf)), ...last.filter(isLate)];
}
