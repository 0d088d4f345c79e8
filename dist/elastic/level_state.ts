/**
 * The same state on all members: who is furthest gives it to the others.
 *
 * @module
 */
import { DistError } from "../error.ts";
import type { WireArray } from "../message/array.ts";
import type { Collective } from "../parallel/alone.ts";
import { compareChecksums, type NamedArray } from "../parallel/checksums.ts";

/** What a member has. */
export interface HeldState {
  /** Steps taken; less than 0 of who has no state yet. */
  readonly step: number;
  /** Copies of the leaves, by name: written to where others are further. Of who has none, of the same type and length. */
  readonly leaves: readonly NamedArray[];
}

/**
 * Makes all members hold the state of the lowest rank among those that are furthest; gives its step. Nothing is sent where all are
 * equally far. Afterwards a checksum of every leaf is the same on all ranks.
 *
 * @throws DistError "lost" if nobody has a state, "mismatch" if members that were equally far differ
 */
export async function levelState(
  group: Collective,
  { step, leaves }: HeldState,
): Promise<number> {
  const steps = new Float64Array(group.size);
  steps[group.rank] = step;
  await group.allGather(steps);
  const furthest = Math.max(...steps), root = steps.indexOf(furthest);
  if (furthest < 0) {
    throw new DistError("Cannot go on: no member has a state any more", "lost", { rank: 0 });
  }
  if (steps.some((other) => other < furthest)) await giveState(group, leaves, root);
  else await compareChecksums(group, leaves);
  return furthest;
}

/** Gives everybody the root's leaves, and makes sure by checksums that they are. @throws DistError */
export async function giveState(
  group: Collective,
  leaves: readonly NamedArray[],
  root: number,
): Promise<void> {
  for (const [, array] of leaves) await group.broadcast<WireArray>(array, root);
  await compareChecksums(group, leaves);
}
