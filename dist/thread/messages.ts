/**
 * What the main thread and the one that speaks with other processes tell each other. Arrays go as views of shared memory.
 *
 * @module
 */
import type { GroupOptions } from "../group/group.ts";
import type { JobTls } from "../job/place.ts";
import type { WireArray } from "../message/array.ts";
import type { Reduction } from "../message/header.ts";
import type { SharedSpace } from "../shm/space.ts";
import type { SocketTransportOptions } from "../transport/sockets.ts";
import type { Meeting, Membership } from "../transport/transport.ts";
import type { ErrorWords } from "./error_words.ts";
import type { EventWords } from "./event_words.ts";

/** A network that a thread can open by itself. */
export type NetworkWords =
  | { readonly kind: "tcp"; readonly tls?: JobTls | undefined }
  | { readonly kind: "shm"; readonly space: SharedSpace; readonly host: number };

/** The first message: where to listen, and the word that the main thread counts its turns in. */
export interface Opening {
  readonly network: NetworkWords;
  /** Do ranks of one host share memory? */
  readonly memory: boolean;
  readonly options: Omit<SocketTransportOptions, "wall">;
  readonly turns: Int32Array;
  /** Units: milliseconds. */
  readonly hang: number;
}

/** An operation's options, but for the signal. */
export interface OptionWords {
  readonly deadline?: number | undefined;
  readonly shape?: readonly number[] | undefined;
  readonly reduction?: Exclude<Reduction, "none"> | undefined;
  readonly folded?: boolean | undefined;
}

/** An operation of a group. */
export type OperationWords =
  & { readonly options: OptionWords }
  & (
    | {
      readonly name: "allReduce" | "reduceScatter" | "allGather";
      readonly array: WireArray;
    }
    | {
      readonly name: "allReduceShards";
      readonly arrays: readonly WireArray[];
      readonly total: number;
      readonly into: WireArray;
    }
    | { readonly name: "broadcast"; readonly array: WireArray; readonly root: number }
    | { readonly name: "barrier" }
    | { readonly name: "send" | "receive"; readonly array: WireArray; readonly peer: number }
    | { readonly name: "split"; readonly color: number }
  );

/** What is asked of the thread; groups go by numbers. */
export type Question =
  | {
    readonly ask: "join";
    readonly member: Membership;
    readonly options: Omit<GroupOptions, "observer">;
    /** Is it to be said what the group does? */
    readonly watched: boolean;
  }
  | { readonly ask: "meet"; readonly meeting: Meeting }
  | { readonly ask: "operate"; readonly group: number; readonly operation: OperationWords }
  | { readonly ask: "leave"; readonly group: number }
  | { readonly ask: "close" };

/** A group that was made. */
export interface GroupWords {
  readonly group: number;
  readonly rank: number;
  readonly size: number;
}

/** From the main thread. */
export type Order =
  | { readonly open: Opening }
  | { readonly id: number; readonly question: Question }
  | { readonly takeBack: number }
  | { readonly abort: number; readonly error: ErrorWords };

/** To the main thread: the address, once; answers; which group has failed; and what the one that a question has made does. */
export type Report =
  | { readonly address: string }
  | { readonly refused: ErrorWords }
  | { readonly id: number; readonly answer: GroupWords | readonly string[] | undefined }
  | { readonly id: number; readonly error: ErrorWords }
  | { readonly failed: number; readonly error: ErrorWords }
  | { readonly watched: number; readonly seen: EventWords };
