/**
 * Who watches groups of a thread, and what of them stands: when the thread itself fails it tells nobody any more.
 *
 * @module
 */
import type { DistError } from "../error.ts";
import type { GroupEvent, GroupSeen, Observer, OperationSeen } from "../observer.ts";

/** Observers, by the number of what they asked for. */
export interface Watchers {
  add(id: number, observer: Observer): void;
  /** Passes an event on. */
  tell(id: number, event: GroupEvent): void;
  /** Tells of every group that stands that it has failed: of what was open, but not for whom it waited, which the thread knew. */
  end(error: DistError, at: number): void;
}

interface Standing {
  readonly group: GroupSeen;
  readonly observer: Observer;
  readonly open: Map<string, OperationSeen>;
}

/** Nobody watches yet. */
export function createWatchers(): Watchers {
  const observers = new Map<number, Observer>(), standing = new Map<string, Standing>();
  const over = new Set<string>();
  function note(id: number, event: GroupEvent, observer: Observer): void {
    const group = "group" in event ? event.group : event.operation.group;
    // Events that come from another thread have objects of their own: names tell them apart.
    const name = `${id} ${group.name}`;
    if (over.has(name)) return;
    if (event.kind === "failed") {
      over.add(name);
      standing.delete(name);
      return;
    }
    const known = standing.get(name) ?? { group, observer, open: new Map() };
    standing.set(name, known);
    if (event.kind === "begun") known.open.set(keyOf(event.operation), event.operation);
    if (event.kind === "ended") known.open.delete(keyOf(event.operation));
  }
  return {
    add: (id, observer) => void observers.set(id, observer),
    tell(id, event) {
      const observer = observers.get(id);
      if (!observer) return;
      note(id, event, observer);
      observer(event);
    },
    end(error, at) {
      for (const { group, observer, open } of standing.values()) {
        const waiting = [...open.values()].map((operation) => ({ operation, waiting: [] }));
        observer({ kind: "failed", at, group, error, open: waiting });
      }
      standing.clear();
    },
  };
}

const keyOf = ({ line, sequence }: OperationSeen): string => `${line} ${sequence}`;
