/**
 * What will happen, in order of time, and of scheduling where times are equal: a binary heap.
 *
 * @module
 */

/** Something that will happen. */
export interface Appointment {
  readonly time: number;
  /** Of two at the same time the lower one comes first. */
  readonly order: number;
  /** The host that it happens at. */
  readonly host: number;
  readonly run: () => void;
}

/** Appointments, the next one first. */
export interface Agenda {
  add(appointment: Appointment): void;
  next(): Appointment | undefined;
}

const before = (a: Appointment, b: Appointment): boolean =>
  a.time < b.time || (a.time === b.time && a.order < b.order);

/** An agenda with nothing in it. */
export function createAgenda(): Agenda {
  const heap: Appointment[] = [];
  return {
    add(appointment) {
      let at = heap.length;
      while (at > 0) {
        const above = (at - 1) >> 1;
        if (!before(appointment, heap[above]!)) break;
        heap[at] = heap[above]!;
        at = above;
      }
      heap[at] = appointment;
    },
    next() {
      const first = heap[0], last = heap.pop();
      if (!last || heap.length === 0) return first;
      let at = 0;
      for (let below = 1; below < heap.length; below = 2 * at + 1) {
        if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
        if (!before(heap[below]!, last)) break;
        heap[at] = heap[below]!;
        at = below;
      }
      heap[at] = last;
      return first;
    },
  };
}
