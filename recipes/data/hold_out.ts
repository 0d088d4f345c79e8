/**
 * Which documents are held out from training.
 *
 * @module
 */

/**
 * A limit: the documents with a hash at or below it are held out. They are those with the smallest hashes, as many as make
 * up `share` of all characters; at least one, never all. So the choice hangs on the documents alone, not on their order.
 *
 * @throws RangeError where there are not two documents.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { heldOutLimit } from "./hold_out.ts";
 *
 * assertEquals(heldOutLimit([70, 10, 40, 90], [5, 5, 5, 5], 0.5), 40);
 * ```
 */
export function heldOutLimit(
  hashes: readonly number[],
  lengths: readonly number[],
  share: number,
): number {
  if (hashes.length < 2) {
    throw new RangeError(`Cannot hold out some of ${hashes.length} documents: two are needed`);
  }
  const order = hashes.map((_, i) => i).sort((a, b) => hashes[a]! - hashes[b]!);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let taken = 0;
  let limit = 0;
  for (const i of order.slice(0, -1)) {
    if (limit !== 0 && taken >= share * total) break;
    taken += lengths[i]!;
    limit = hashes[i]!;
  }
  return limit;
}
