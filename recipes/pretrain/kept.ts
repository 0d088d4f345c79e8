/**
 * What a process of an elastic run goes on from when its group has failed: the state after the last step, and what was logged of it.
 *
 * @module
 */
import type { Row } from "../run/rows.ts";
import type { TrainState } from "./train.ts";

/** A state, counted through all stages. */
export interface KeptState extends TrainState {
  readonly rollbacks: number;
}

/** The place for it. */
export interface Kept {
  /** Undefined where this process has none yet. */
  readonly state: KeptState | undefined;
  /**
   * The newest row of metrics, up to that state, of a process that follows. The one that leads has written all those before: it begins no
   * step sooner, and nobody takes one without it.
   */
  readonly row: Row | undefined;
  /** Puts another state there. What was there before is its owner's to free. */
  keep(state: KeptState): void;
  /** Puts another row there. */
  log(row: Row): void;
}

/** An empty place. */
export function createKept(): Kept {
  let state: KeptState | undefined, row: Row | undefined;
  return {
    get state() {
      return state;
    },
    get row() {
      return row;
    },
    keep(next) {
      state = next;
      // Of a step that is taken back, and will be taken again.
      if (row && row.step > next.step) row = undefined;
    },
    log: (next) => void (row = next),
  };
}
