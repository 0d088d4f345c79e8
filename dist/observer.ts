/**
 * What a group tells whoever watches it: plain facts, at the moment that they become true. Writing them down is the watcher's affair.
 *
 * @module
 */
import type { DistError } from "./error.ts";
import type { Reduction } from "./message/header.ts";

/** The group that something happens in. */
export interface GroupSeen {
  /** The job's name. */
  readonly job: string;
  /** Which membership of the job this is. */
  readonly generation: number;
  /** The group's name in its job: "" is the whole. */
  readonly name: string;
  /** This process's number in it. */
  readonly rank: number;
  /** Members. */
  readonly size: number;
}

/** One operation; the same in every event about it. */
export interface OperationSeen {
  /** Where it is done. */
  readonly group: GroupSeen;
  /** What is done, as in "allReduce". */
  readonly operation: string;
  /** Its number among those of its line, equal on all ranks that take part. */
  readonly sequence: number;
  /** "" for those that all members do one after another; "to 3" or "from 3" for messages between two. */
  readonly line: string;
  /** Element type of its array, as in "f32". */
  readonly type: string;
  /** How elements become one. */
  readonly reduction: Reduction;
  /** What ranks compare; in a sum of shards their number stands first. */
  readonly shape: readonly number[];
  /** Bytes of the array. */
  readonly bytes: number;
}

/** An operation that was under way when its group failed. */
export interface OperationOpen {
  /** Which one. */
  readonly operation: OperationSeen;
  /** The ranks that it waited for. */
  readonly waiting: readonly number[];
}

/**
 * One fact. An operation is called; its turn comes; another rank is heard in it for the first time, so that what was a wait for the others
 * is a transfer from then on; it ends. `at` is the transport's clock, in milliseconds.
 */
export type GroupEvent =
  | { readonly kind: "joined"; readonly at: number; readonly group: GroupSeen }
  | {
    readonly kind: "called" | "begun" | "heard";
    readonly at: number;
    readonly operation: OperationSeen;
  }
  | {
    readonly kind: "ended";
    readonly at: number;
    readonly operation: OperationSeen;
    /** Bytes of arrays that links have taken and brought; what an MPI library or shared memory moves is not in them. */
    readonly sent: number;
    readonly received: number;
    /** Why, where it failed. */
    readonly error?: DistError;
  }
  | {
    /** The group is over; with failure "closed" and nothing open it was left in good order. */
    readonly kind: "failed";
    readonly at: number;
    readonly group: GroupSeen;
    readonly error: DistError;
    readonly open: readonly OperationOpen[];
  };

/** Takes the events of a group as they happen. It must be quick, and must not throw. */
export type Observer = (event: GroupEvent) => void;
