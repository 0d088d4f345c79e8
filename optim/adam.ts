/**
 * Adam's moments.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  div,
  expm1,
  mul,
  neg,
  sizesOf,
  sqrt,
  square,
  type Tensor,
  zeros,
} from "../core/mod.ts";
import type { Leaf, Transform } from "./transform.ts";

/** Hyper-parameters of Adam. */
export interface AdamOptions {
  /** Share of the old first moment that is kept; 0.9. */
  readonly beta1?: number;
  /** Share of the old second moment that is kept; 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. */
  readonly epsilon?: number;
  /**
   * Divide both moments by 1 - β^t; true. Without it the first updates of Adam are too long, by (1 - β₁) / √(1 - β₂), 3.2 at t = 1. The
   * article and NVIDIA's code have it; the appendix of LAMB's paper leaves it out, as a warm-up does for it: a trust ratio takes that
   * factor away, except from parameters that it does not scale, and from the balance with the decay.
   */
  readonly biasCorrection?: boolean;
}

/** 1 - beta^t, as -expm1(t log beta): the plain difference would lose four digits at beta = 0.999 and t = 1. */
export function correction(beta: number, count: Tensor<[], "i32">): Tensor<[]> {
  return neg(expm1(mul(cast(count, "f32"), Math.log(beta))));
}

/** Zeros for a moment of every parameter. */
export function moments(params: readonly Leaf[]): AnyTensor[] {
  return params.map((p) => zeros([...sizesOf(p.value)], p.settings.stateDtype));
}

/**
 * u = m̂ / (√v̂ + ε), m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g².
 *
 * Moments are stored in the group's state dtype and computed in f32.
 *
 * Source: Kingma and Ba 2015, algorithm 1. NVLAMB's figure prints √(v̂ + ε); its code, and this, has √v̂ + ε.
 */
export function scaleByAdam(options: AdamOptions = {}): Transform {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, biasCorrection = true } = options;
  return {
    init: (params) => ({ m: moments(params), v: moments(params) }),
    update: (updates, state, params, { count }) => {
      const { m, v } = state as { readonly m: AnyTensor[]; readonly v: AnyTensor[] };
      const [c1, c2] = [correction(beta1, count), correction(beta2, count)];
      const next = updates.map((g, i) => {
        const mean = add(mul(cast(m[i]!, "f32"), beta1), mul(g, 1 - beta1));
        const raw = add(mul(cast(v[i]!, "f32"), beta2), mul(square(g), 1 - beta2));
        const [hat, spread] = biasCorrection ? [div(mean, c1), div(raw, c2)] : [mean, raw];
        const dtype = params[i]!.settings.stateDtype;
        return {
          update: div(hat, add(sqrt(spread), epsilon)) as AnyTensor,
          m: cast(mean, dtype) as AnyTensor,
          v: cast(raw, dtype) as AnyTensor,
        };
      });
      return {
        updates: next.map((n) => n.update),
        state: { m: next.map((n) => n.m), v: next.map((n) => n.v) },
      };
    },
  };
}
