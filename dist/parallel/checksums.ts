/**
 * Do all ranks have the same parameters? A checksum each is enough to know, and to say whose differ.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { DistError } from "../error.ts";
import { bytesOf, type WireArray } from "../message/array.ts";
import type { Collective } from "./alone.ts";

/** A leaf, and its name for people. */
export type NamedArray = readonly [name: string, array: WireArray];

/**
 * Compares leaves, bit for bit, between all ranks; every rank gets the same answer.
 *
 * @throws DistError "mismatch" that names the ranks that differ from the others, and the first leaf in which they do
 */
export async function compareChecksums(
  group: Collective,
  leaves: readonly NamedArray[],
): Promise<void> {
  const { rank, size } = group, count = leaves.length;
  const all = new Uint32Array(size * count);
  leaves.forEach(([, array], i) => all[rank * count + i] = crc32(bytesOf(array)));
  await group.allGather(all);
  for (const [i, [name]] of leaves.entries()) {
    const found = Array.from({ length: size }, (_, r) => all[r * count + i]!);
    const groups = [...Map.groupBy(found.keys(), (r) => found[r]!)].sort(([, a], [, b]) =>
      b.length - a.length
    );
    if (groups.length < 2) continue;
    const hex = (sum: number): string => sum.toString(16).padStart(8, "0");
    const [[most, [...right]]] = groups as [[number, number[]]];
    const wrong = groups.slice(1).flatMap(([, ranks]) => [...ranks]).sort((a, b) => a - b);
    // Of two halves nobody can say which is right.
    const known = right.length > wrong.length;
    throw new DistError(
      `Cannot go on: ${name} differs on rank ${
        known
          ? `${wrong.join(", ")} (checksum ${
            wrong.map((r) => hex(found[r]!)).join(", ")
          }) from the others (${hex(most)})`
          : found.map((sum, r) => `${r} (checksum ${hex(sum)})`).join(", ")
      }`,
      "mismatch",
      { rank: known ? wrong[0] : undefined },
    );
  }
}
