/**
 * What the first process of a run tells the others between two steps: to take another, to give something, or that it is over.
 *
 * @module
 */
import type { Collective, DistError } from "../../dist/mod.ts";

const END = 0, STEP = 1, CALL = 2, RENEW = 3;

/** How processes that train together know what comes. */
export interface BetweenSteps {
  /** What the first process wants. `give` is called on others for each of its calls. */
  goOn(wanted: boolean, give?: () => Promise<unknown>): Promise<boolean>;
  /** The first process, outside of a step, wants the others to give something. */
  call(): Promise<void>;
}

/** How processes make room for newcomers. */
export interface Renewal {
  /** Is somebody waiting? Asked of the first process, before every step. */
  readonly isWanted: () => boolean;
  /** What all throw then. */
  readonly error: () => DistError;
}

/** A word a step. The first process waits for nobody to hear it. */
export function betweenSteps(group: Collective, renew?: Renewal): BetweenSteps {
  return {
    async goOn(wanted, give) {
      for (;;) {
        const next = !wanted ? END : renew?.isWanted() ? RENEW : STEP;
        const [word] = await group.broadcast(Uint8Array.of(next), 0);
        if (word === RENEW) throw renew!.error();
        if (word !== CALL) return word === STEP;
        await give?.();
      }
    },
    async call() {
      await group.broadcast(Uint8Array.of(CALL), 0);
    },
  };
}
