/** The last step of a chain: from a direction to a move. */
import { type AnyTensor, mul, neg } from "../core/mod.ts";
import { type Rate, rateAt } from "./schedule.ts";
import type { Transform } from "./transform.ts";

/** Multiplies every update by minus the rate of this step and its group's factor. The metric `lr` is the rate. */
export function scaleByLearningRate(rate: Rate): Transform {
  return {
    init: () => ({}),
    update: (updates, state, params, { count }) => {
      const lr = rateAt(rate, count), down = neg(lr);
      const moves = updates.map((u, i) => {
        const factor = params[i]!.settings.rate;
        return mul(u, factor === 1 ? down : mul(down, factor)) as AnyTensor;
      });
      return { updates: moves, state, metrics: { lr } };
    },
  };
}
