/**
 * Links between the ranks of a group: what collectives need of whatever carries bytes.
 *
 * A link has one direction and keeps messages whole and in order. It never loses one silently: it fails, with a reason.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { DistError } from "../error.ts";
import type { WireArray } from "../message/array.ts";

/** Messages to one rank. */
export interface Outgoing {
  /** The sender. */
  readonly from: number;
  /** The receiver. */
  readonly to: number;
  /**
   * Sends one message. Resolves when the bytes may change; waits while the receiver does not read. One at a time.
   *
   * @throws DistError
   */
  send(head: Uint8Array, body: Uint8Array): Promise<void>;
}

/** Messages from one rank. A message is taken in two steps, so that its bytes go where they belong at once. */
export interface Incoming {
  /** The sender. */
  readonly from: number;
  /** The receiver. */
  readonly to: number;
  /** Waits for a message and reads its first bytes, as many as fit. @throws DistError */
  receive(head: Uint8Array): Promise<void>;
  /** Reads the rest of it, which must fill `into`. @throws DistError */
  body(into: Uint8Array): Promise<void>;
}

/** Links of different lanes between the same ranks never wait for each other. */
export type Lane = "main" | "result" | "point";

/** Who takes part: equal on all ranks but for `rank`. */
export interface Membership {
  /** Of letters, digits, and . _ -; the same for all groups of one run. */
  readonly job: string;
  /** Grows when members change: those of another generation are refused. */
  readonly generation: number;
  /** Name of the group in its job: "" is the whole. */
  readonly group: string;
  /** This process's number among the members, from 0. */
  readonly rank: number;
  /** Where the members are, by rank. */
  readonly addresses: readonly string[];
  /** 32 bits that must be equal on all ranks, such as a hash of the model; 0 if there is nothing to compare. */
  readonly plan: number;
}

/**
 * What does whole operations in place of messages: an MPI library. It is called on all ranks in the same order, with arrays of the same
 * type and length; its calls, once begun, cannot be taken back. Its own links are for messages without bodies, by which ranks agree on
 * what comes.
 */
export interface Engine extends Pick<Links, "outgoing" | "incoming"> {
  /** Must have been called by all, and have come back, before anything else is. @throws DistError */
  begin(): Promise<void>;
  /** The sum, in place. @throws DistError */
  allReduce(array: WireArray): Promise<void>;
  /** The sum of this rank's chunk, in place. @throws DistError */
  reduceScatter(array: WireArray): Promise<void>;
  /** Everybody's chunks, in place. @throws DistError */
  allGather(array: WireArray): Promise<void>;
  /** The root's array, in place. @throws DistError */
  broadcast(array: WireArray, root: number): Promise<void>;
}

/** The links of one group. */
export interface Links {
  /** Does operations better than links, where there is one. */
  readonly engine?: Engine;
  /** The link to a rank, once that rank has asked for it. @throws DistError */
  outgoing(to: number, lane: Lane): Promise<Outgoing>;
  /** The link from a rank. @throws DistError */
  incoming(from: number, lane: Lane): Promise<Incoming>;
  /** Where a rank said that it listens, when it asked this one for a link. */
  addressOf?(rank: number): string | undefined;
  /** Ends all links at once: what waits is rejected with the error, and peers are told the reason. */
  abort(error: DistError): void;
  /** Calls `f` when the links fail by themselves; at once if they have. */
  onFailure(f: (error: DistError) => void): void;
  /** Calls `f` when a rank that there is a link with leaves in good order, which is a failure only to who waits for it. */
  onLeave(f: (error: DistError) => void): void;
  /** Ends all links in good order: what was sent arrives. */
  close(): Promise<void>;
}

/** One word from process to process, outside of all groups: an answer to it is one line of printable ASCII. */
export interface Question extends Pick<Membership, "job" | "plan"> {
  /** Printable ASCII, 6 KiB at most. */
  readonly text: string;
}

/** A door at which questions are answered too. */
export interface AskingTransport extends Transport {
  /** Asks another process. @throws DistError "lost" if nobody listens there any more; "mismatch" if it refuses */
  ask(address: string, question: Question): Promise<string>;
  /** Answers with `f` from now on. What it throws as a DistError is the refusal. */
  onQuestion(f: (question: Question) => string | Promise<string>): void;
}

/** One process's door to others. */
export interface Transport {
  /** Where others find it, for `addresses`. */
  readonly address: string;
  /** Its time. */
  readonly clock: Clock;
  /** Takes part in a group. @throws DistError if this process is a member of it already */
  join(membership: Membership): Links;
  /** Ends everything. */
  close(): Promise<void>;
}
