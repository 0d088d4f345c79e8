/** The layer-wise trust ratio of LARS and LAMB. */
import {
  type AnyTensor,
  cast,
  clamp,
  div,
  globalNorm,
  greater,
  minimum,
  mul,
  type Tensor,
  where,
} from "../core/mod.ts";
import { stateless, type Transform } from "./transform.ts";

/** Which parameters are scaled, and by how much at most. */
export interface TrustRatioOptions {
  /** `decayed`: those with weight decay (apex's default); `all`: every one (the paper; apex's use_nvlamb). Groups can say no. */
  readonly on?: "decayed" | "all";
  /** Bounds of φ, which is applied to ‖w‖: min(max(‖w‖, low), high). Identity by default. */
  readonly phi?: readonly [low: number, high: number];
  /** At most this ratio (LAMBC: 1). */
  readonly max?: number;
}

/**
 * Scales every update u of a parameter w by φ(‖w‖) / ‖u‖; by 1 where a norm is 0.
 *
 * Source: You et al. 2020, algorithm 2. φ clips ‖w‖, not the ratio: pytorch-lamb's issue 5 tells of that mistake.
 */
export function scaleByTrustRatio(options: TrustRatioOptions = {}): Transform {
  const { on = "decayed", phi, max } = options;
  return stateless((update, { value, settings }) => {
    if (!settings.trustRatio || (on === "decayed" && settings.decay === 0)) return update;
    const weight = globalNorm([cast(value, "f32")]), size = globalNorm([update]);
    const bounded = phi ? clamp(weight, ...phi) : weight;
    const known = where(greater(minimum(weight, size), 0), div(bounded, size), 1);
    const ratio: Tensor<[]> = max === undefined ? known : minimum(known, max);
    return mul(update, ratio) as AnyTensor;
  });
}
