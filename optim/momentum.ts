/** Heavy-ball momentum. */
import { add, type AnyTensor, cast, mul, sizesOf, zeros } from "../core/mod.ts";
import type { Transform } from "./transform.ts";

/** m ← μ m + g; the update is m, or g + μ m with Nesterov's correction. Source: torch.optim.SGD, dampening 0. */
export function momentum(mu: number, nesterov = false): Transform {
  return {
    init: (params) => params.map((p) => zeros([...sizesOf(p.value)], p.settings.stateDtype)),
    update: (updates, state, params) => {
      const next = (state as readonly AnyTensor[]).map((m, i) =>
        add(mul(cast(m, "f32"), mu), updates[i]!)
      );
      return {
        updates: nesterov ? updates.map((g, i) => add(g, mul(next[i]!, mu)) as AnyTensor) : next,
        state: next.map((m, i) => cast(m, params[i]!.settings.stateDtype) as AnyTensor),
      };
    },
  };
}
