/**
 * Who decides who forms the next generation: the members themselves, or a store that they share.
 *
 * @module
 */
import type { DistError } from "../error.ts";
import type { Looked } from "./look_at.ts";
import type { Roster } from "./roster.ts";

/** Why a member cannot go on. */
export interface Trouble {
  /** What its group failed of; undefined if it only makes room for newcomers. */
  readonly error: DistError | undefined;
  /** Generations that failed before this one without a step. */
  readonly strikes: number;
}

/** One member's access to decisions. Nobody sees two different rosters of one generation. */
export interface Council {
  /** This member. */
  readonly name: string;
  /** Processes that wait to be let in, as far as this one knows. */
  readonly waiting: number;
  /** The first roster with this member: at once for who is there from the beginning, else when the others let it in. @throws DistError */
  enter(): Promise<Roster>;
  /**
   * The roster after one with this member; undefined if the others have finished meanwhile.
   *
   * @throws DistError "fenced" if they go on without it, "lost" if there is no majority in time
   */
  next(base: Roster, trouble: Trouble): Promise<Roster | undefined>;
  /** The group of the newest roster works: it was formed, or did a step. */
  worked(): void;
  /** Asks the other members of a roster for a sign of life. */
  look(roster: Roster): Promise<Looked>;
  /** Calls `f` when a generation, and all before it, cannot go on, as others say. */
  onChallenge(f: (generation: number, error: DistError) => void): void;
  /** Tells the others that this member has done all that there was to do; only who is no member, if the members have agreed on it. */
  finish(isAgreed: boolean): Promise<void>;
  /** Takes no more part. */
  close(): Promise<void>;
}
