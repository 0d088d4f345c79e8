/**
 * Tells an observer what a group does.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { DistError } from "../error.ts";
import type { WireType } from "../message/header.ts";
import type { GroupSeen, Observer, OperationSeen } from "../observer.ts";
import type { Traffic } from "./operation.ts";

/** What is told of one operation. */
export interface OperationWatch {
  /** Its turn has come; it waits for those that `waiting` says, and counts into the traffic that this gives. */
  begun(waiting: () => readonly number[]): Traffic;
  ended(error?: unknown): void;
}

/** What a group says of an operation. */
export interface OperationCalled extends Omit<OperationSeen, "group" | "bytes"> {
  readonly type: WireType;
}

/** What is told of a group. */
export interface GroupWatch {
  joined(): void;
  called(operation: OperationCalled): OperationWatch;
  failed(error: DistError): void;
}

const width: Readonly<Record<WireType, number>> = { u8: 1, u16: 2, i32: 4, u32: 4, f32: 4, f64: 8 };

/** Bytes of an operation's array. */
function bytesOf({ operation, type, shape }: OperationCalled): number {
  const sizes = operation === "allReduceShards" ? shape.slice(1) : shape;
  return sizes.reduce((n, axis) => n * axis, width[type]);
}

const unwatched: GroupWatch = {
  joined: () => {},
  called: () => ({ begun: () => ({ sent: 0, received: 0 }), ended: () => {} }),
  failed: () => {},
};

/** Watches for an observer, or for nobody. */
export function watchGroup(
  group: GroupSeen,
  clock: Clock,
  observer: Observer | undefined,
): GroupWatch {
  if (!observer) return unwatched;
  const open = new Map<OperationSeen, () => readonly number[]>();
  return {
    joined: () => observer({ kind: "joined", at: clock.now(), group }),
    called(what) {
      const operation: OperationSeen = { group, ...what, bytes: bytesOf(what) };
      observer({ kind: "called", at: clock.now(), operation });
      let isHeard = false, traffic: Traffic = { sent: 0, received: 0 };
      return {
        begun(waiting) {
          open.set(operation, waiting);
          observer({ kind: "begun", at: clock.now(), operation });
          const heard = (): void => {
            if (isHeard) return;
            isHeard = true;
            observer({ kind: "heard", at: clock.now(), operation });
          };
          return traffic = { sent: 0, received: 0, heard };
        },
        ended(error) {
          open.delete(operation);
          const { sent, received } = traffic;
          const why = error instanceof DistError && { error };
          observer({ kind: "ended", at: clock.now(), operation, sent, received, ...why });
        },
      };
    },
    failed: (error) =>
      observer({
        kind: "failed",
        at: clock.now(),
        group,
        error,
        // As it is in this moment: what waits is rejected next.
        open: [...open].map(([operation, waiting]) => ({ operation, waiting: waiting() })),
      }),
  };
}
