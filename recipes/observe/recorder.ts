/**
 * The last operations of this process's groups, kept in a ring: what a trace shows, and what is left for the autopsy of a group that
 * failed.
 *
 * @module
 */
import type { GroupEvent, Observer, OperationSeen } from "../../dist/mod.ts";

/** One operation. Units: milliseconds of this process's own clock. */
export interface Entry extends Omit<OperationSeen, "group"> {
  /** Its group's name; "" is the whole job. */
  readonly group: string;
  readonly called: number;
  /** When its turn came, another rank was heard first, and it ended, as far as these have happened. */
  begun?: number;
  heard?: number;
  ended?: number;
  /** Bytes of arrays that links took and brought. */
  sent: number;
  received: number;
  /** Whom it waited for when its group failed. */
  waiting?: readonly number[];
  /** Why it failed. */
  error?: string;
}

/** A recorder. */
export interface Recorder {
  readonly observe: Observer;
  /** What is kept, oldest first. */
  entries(): readonly Entry[];
}

/** What tells operations apart: events may come from another thread, where the same one is not the same object. */
export const keyOf = ({ group, line, sequence }: OperationSeen): string =>
  `${group.generation} ${group.name} ${group.rank} ${line} ${sequence}`;

/**
 * Keeps the last `keep` operations.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createRecorder } from "./recorder.ts";
 *
 * const recorder = createRecorder(100), group = { job: "j", generation: 1, name: "", rank: 0, size: 2 };
 * const operation = { group, operation: "barrier", sequence: 0, line: "", type: "u8", reduction: "none", shape: [0], bytes: 0 } as const;
 * recorder.observe({ kind: "called", at: 5, operation });
 * recorder.observe({ kind: "begun", at: 6, operation });
 * assertEquals(recorder.entries()[0]!.begun, 6);
 * ```
 */
export function createRecorder(keep: number): Recorder {
  const ring: Entry[] = [], open = new Map<string, Entry>();
  let at = 0;
  function add(entry: Entry): void {
    ring[at++ % keep] = entry;
  }
  function observe(event: GroupEvent): void {
    if (event.kind === "joined" || event.kind === "failed") {
      if (event.kind === "joined") return;
      for (const { operation, waiting } of event.open) {
        const entry = open.get(keyOf(operation));
        if (entry) entry.waiting = waiting;
      }
      return;
    }
    const { operation, at } = event;
    if (event.kind === "called") {
      const { group: { name }, ...what } = operation;
      const entry: Entry = { ...what, group: name, called: at, sent: 0, received: 0 };
      open.set(keyOf(operation), entry);
      return add(entry);
    }
    const entry = open.get(keyOf(operation));
    if (!entry) return;
    entry[event.kind] = at;
    if (event.kind !== "ended") return;
    open.delete(keyOf(operation));
    entry.sent = event.sent;
    entry.received = event.received;
    if (event.error) entry.error = event.error.message;
  }
  return {
    observe,
    entries: () => at <= keep ? [...ring] : [...ring.slice(at % keep), ...ring.slice(0, at % keep)],
  };
}
