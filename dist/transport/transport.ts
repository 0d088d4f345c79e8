/**
 * Links between the ranks of a group: what collectives need of whatever carries bytes.
 *
 * A link has one direction and keeps messages whole and in order. It never loses one silently: it fails, with a reason.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { DistError } from "../error.ts";
import type { Operation } from "../group/operation.ts";
import type { ShardSums } from "../group/shards.ts";
import type { WireArray } from "../message/array.ts";
import type { Reduction } from "../message/header.ts";

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
 * What does whole operations in place of messages: an MPI library, or memory that ranks share. It is called on all ranks in the same
 * order, with arrays of the same type and length. Its own links are for messages without bodies, by which ranks agree on what comes;
 * MPI's calls, once begun, cannot be taken back. What it does not do, on any rank, it answers with nothing: links do that.
 */
export interface Engine extends Pick<Links, "outgoing" | "incoming"> {
  /** Must have been called by all in their first operation, before anything else is. False, on all: links do everything. @throws DistError */
  begin(op: Operation): Promise<boolean>;
  /** Everybody gets the sum, or what the reduction says, in place. @throws DistError */
  allReduce(array: WireArray, reduction: Reduction, op: Operation): Promise<void> | undefined;
  /** The sum of all shards, in their fixed tree. @throws DistError */
  allReduceShards(
    sums: ShardSums,
    into: WireArray,
    reduction: Reduction,
    op: Operation,
  ): Promise<void> | undefined;
  /** The sum of this rank's chunk, in place. @throws DistError */
  reduceScatter(array: WireArray, reduction: Reduction): Promise<void> | undefined;
  /** Everybody's chunks, in place. @throws DistError */
  allGather(array: WireArray): Promise<void> | undefined;
  /** The root's array, in place. @throws DistError */
  broadcast(array: WireArray, root: number, op: Operation): Promise<void> | undefined;
  /** Ranks that the others wait for in the operation that is under way, as far as it knows. */
  behind?(): readonly number[];
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

/** Who meets: as a membership, with the address of rank 0 in the place of all. */
export interface Meeting extends Omit<Membership, "addresses" | "group"> {
  /** How many there are. */
  readonly size: number;
  /** Where rank 0 listens, as in "ws://127.0.0.1:29500". */
  readonly first: string;
  /** Time that all have to come. Units: milliseconds. */
  readonly patience: number;
}

/** What all doors to other processes have. */
export interface TransportDoor {
  /** Where others find it, for `addresses`. */
  readonly address: string;
  /** Its time. */
  readonly clock: Clock;
  /** Ends everything. */
  close(): Promise<void>;
}

/** One process's door to others. */
export interface Transport extends TransportDoor {
  /** Takes part in a group. @throws DistError if this process is a member of it already */
  join(membership: Membership): Links;
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
  /**
   * Answers with `f` from now on. What it throws as a DistError is the refusal; anything else, and an answer that is no such line, is a
   * mistake of this process, and reported here as an uncaught error is.
   */
  onQuestion(f: (question: Question) => string | Promise<string>): void;
}
