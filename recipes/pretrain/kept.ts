/**
 * What a process of an elastic run goes on from when its group has failed: the state after the last step.
 *
 * @module
 */
import type { TrainState } from "./train.ts";

/** A state, counted through all stages. */
export interface KeptState extends TrainState {
  readonly rollbacks: number;
}

/** The place for it. */
export interface Kept {
  /** Undefined where this process has none yet. */
  readonly state: KeptState | undefined;
  /** Puts another state there. What was there before is its owner's to free. */
  keep(state: KeptState): void;
}

/** An empty place. */
export function createKept(): Kept {
  let state: KeptState | undefined;
  return {
    get state() {
      return state;
    },
    keep: (next) => void (state = next),
  };
}
