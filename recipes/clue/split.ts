/**
 * Splits by groups: where only one part of a data set is at hand, none of its groups stands in two splits.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { SplitName } from "./task.ts";

/** Of a hundred groups, so many are for development and so many for the test. */
const DEV = 10, TEST = 10;

function hashOf(group: string): Uint8Array & { readUInt32LE(offset: number): number } {
  return createHash("sha256").update(group.normalize("NFKC").trim()).digest();
}

/** The split of a group: it depends on the group's text alone. */
export function splitOf(group: string): SplitName {
  const place = hashOf(group).readUInt32LE(0) % 100;
  return place < DEV ? "dev" : place < DEV + TEST ? "test" : "train";
}

/** Which of `folds` folds a group is in, from 0: its text alone says it, by other bits than its split. */
export function foldOf(group: string, folds: number): number {
  return hashOf(group).readUInt32LE(4) % folds;
}
