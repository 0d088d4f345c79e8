/**
 * Splits by groups: where only one part of a data set is at hand, none of its groups stands in two splits.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { SplitName } from "./task.ts";

/** Of a hundred groups, so many are for development and so many for the test. */
const DEV = 10, TEST = 10;

/** The split of a group: it depends on the group's text alone. */
export function splitOf(group: string): SplitName {
  const bytes = createHash("sha256").update(group.normalize("NFKC").trim()).digest();
  const place = bytes.readUInt32LE(0) % 100;
  return place < DEV ? "dev" : place < DEV + TEST ? "test" : "train";
}
