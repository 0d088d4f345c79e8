/**
 * What the first process of a run tells the others between two steps: to take another, to give something, or that it is over.
 *
 * @module
 */
import type { Collective } from "../../dist/mod.ts";

const END = 0, STEP = 1, CALL = 2;

/** How processes that train together know what comes. */
export interface BetweenSteps {
  /** What the first process wants. `give` is called on others for each of its calls. */
  goOn(wanted: boolean, give?: () => Promise<unknown>): Promise<boolean>;
  /** The first process, outside of a step, wants the others to give something. */
  call(): Promise<void>;
}

/** A word a step. The first process waits for nobody to hear it. */
export function betweenSteps(group: Collective): BetweenSteps {
  return {
    async goOn(wanted, give) {
      for (;;) {
        const [word] = await group.broadcast(Uint8Array.of(wanted ? STEP : END), 0);
        if (word !== CALL) return word === STEP;
        await give?.();
      }
    },
    async call() {
      await group.broadcast(Uint8Array.of(CALL), 0);
    },
  };
}
