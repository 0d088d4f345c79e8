/** Somebody whom somebody else cannot reach. */
export type Complaint = readonly [who: string, whom: string];

/**
 * Whom to leave out, so that nobody complains of anybody who is left: again and again who is part of most complaints, the last of
 * `names` of several. Few, but not always the fewest: that is a hard problem, and rosters are not made for it.
 *
 * @example
 * ```ts
 * import { coverOf } from "./cover.ts";
 * console.log(coverOf(["a", "b", "c"], [["a", "b"], ["c", "b"]])); // ["b"]
 * ```
 */
export function coverOf(
  names: readonly string[],
  complaints: readonly Complaint[],
): readonly string[] {
  const out: string[] = [];
  let left = complaints.filter((pair) => pair.every((name) => names.includes(name)));
  while (left.length > 0) {
    const count = (name: string): number => left.filter((pair) => pair.includes(name)).length;
    const worst = names.reduce((most, name) => count(name) >= count(most) ? name : most);
    out.push(worst);
    left = left.filter((pair) => !pair.includes(worst));
  }
  return out;
}
