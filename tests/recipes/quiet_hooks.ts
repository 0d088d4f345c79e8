/** Hooks of training for tests that look at what it gives: nothing is written, judged or stopped. */
import type { TrainHooks } from "../../recipes/pretrain/train.ts";

/** Hooks that do nothing. */
export const quietHooks: TrainHooks = {
  metrics: () => {},
  evaluation: () => false,
  progress: () => {},
  checkpoint: () => Promise.resolve(),
  stop: () => false,
};
