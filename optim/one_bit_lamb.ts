/**
 * 1-bit LAMB: after a while the second moments stay what they are, and processes send each other momentum instead of gradients, which
 * bears to be sent in a bit an element.
 *
 * Source: Li et al. 2021 (1-bit LAMB, arXiv 2104.06069); the frozen variance is of Tang et al. 2021 (1-bit Adam, arXiv 2102.02888).
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  div,
  greater,
  mapTree,
  minimum,
  mul,
  sizesOf,
  sqrt,
  square,
  sub,
  type Tensor,
  type Tree,
  where,
} from "../core/mod.ts";
import { correction, moments } from "./adam.ts";
import { addDecayedWeights } from "./decay.ts";
import { normalizeGradients } from "./gradient_norm.ts";
import type { LambOptions } from "./lamb.ts";
import { scaleByLearningRate } from "./learning_rate.ts";
import { flat, learning, type Optimizer, optimizer, type OptimizerState } from "./optimizer.ts";
import { chain, type State, type Transform } from "./transform.ts";
import { scaleByTrustRatio } from "./trust_ratio.ts";

/** Options of 1-bit LAMB. */
export interface OneBitLambOptions extends LambOptions {
  /** Steps of plain LAMB; from then on the second moments of matrices stay what they are. */
  readonly freeze: number;
}

/** Is it a matrix, or more? Only those are frozen, and sent as momentum: the rest is little. */
export const isMatrix = (sizes: readonly number[]): boolean => sizes.length > 1;

interface Moments {
  readonly m: readonly AnyTensor[];
  readonly v: readonly AnyTensor[];
}

/**
 * LAMB whose matrices have frozen second moments after `freeze` steps, and what its processes send each other from then on: of a matrix
 * `z = (s β₁ m + (1 - β₁) g) / (√v̂ + ε)`, where g is one process's part of the gradient and s its share, and of what is no matrix g.
 *
 * The sum of z over processes lands as the gradient that makes the same momentum of the last one, so that a step needs to know nothing of
 * it. Gradients are normalised where they are carried, by each process on its own: nobody has the whole one.
 *
 * The source scales each layer by a running mean of its trust ratios in the warm-up, held and corrected; here the ratio goes on, of the
 * update as it is.
 *
 * @example
 * ```ts
 * import { read, tensor } from "@motian/motian";
 * import { oneBitLamb } from "@motian/motian/optim";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const optimizer = oneBitLamb({ rate: 0.1, freeze: 1 });
 * const params = { w: tensor([[3], [4]]) }, grads = { w: tensor([[0.1], [0.2]]) };
 * const { state } = optimizer.step(params, grads, optimizer.init(params));
 * // One process alone, whose share is 1: what it carries lands as what it was.
 * const landed = optimizer.sent!.land(optimizer.sent!.carry(grads, state, 1), state);
 * assertAlmostEquals((await read(landed.w))[1]!, 0.2, 1e-5);
 * ```
 */
export function oneBitLamb(options: OneBitLambOptions): Optimizer {
  const { gradNorm = "clip", maxNorm = 1, decay = 0.01, beta1 = 0.9, freeze } = options;
  const adam = frozenAdam(options), normalize = normalizeGradients(gradNorm, maxNorm);
  const until: Transform = {
    init: normalize.init,
    update: (updates, state, params, step) => {
      const done = normalize.update(updates, state, params, step);
      const isLate = greater(step.count, freeze);
      return { ...done, updates: done.updates.map((u, i) => where(isLate, updates[i]!, u)) };
    },
  };
  const all = { ...options, decay };
  const momentsOf = ({ transforms }: OptimizerState): Moments =>
    (transforms as readonly State[])[1] as unknown as Moments;
  /** The tree with other matrices and others. */
  function mapped<P>(
    tree: P,
    state: OptimizerState,
    f: (g: AnyTensor, m: Tensor, size: Tensor | undefined) => AnyTensor,
    before: (all: readonly AnyTensor[]) => readonly AnyTensor[] = (all) => all,
  ): P {
    const leaves = learning(flat(tree, all)), { m, v } = momentsOf(state);
    const values = before(leaves.map(({ value }) => cast(value, "f32") as AnyTensor));
    const found = new Map(leaves.map(({ path, value }, i): [string, AnyTensor] => {
      const size = isMatrix(sizesOf(value)) ? frozenSize(v[i]!, options) : undefined;
      return [path, f(values[i]!, cast(m[i]!, "f32") as Tensor, size)];
    }));
    return mapTree(tree as Tree<AnyTensor>, (x, path) => found.get(path) ?? x) as P;
  }
  return {
    ...optimizer(
      chain(
        until,
        adam,
        addDecayedWeights(),
        scaleByTrustRatio(options.trustRatio),
        scaleByLearningRate(options.rate),
      ),
      all,
    ),
    sent: {
      carry: (grads, state, share) =>
        mapped(
          grads,
          state,
          (g, m, size) => {
            const own = mul(g, share);
            if (!size) return own as AnyTensor;
            return div(add(mul(m, share * beta1), mul(own, 1 - beta1)), size) as AnyTensor;
          },
          (all) => {
            const whole = all.map((g) => div(g, share) as AnyTensor);
            return normalize.update(whole, {}, [], { count: state.count }).updates;
          },
        ),
      land: (sum, state) =>
        mapped(
          sum,
          state,
          (z, m, size) => size ? div(sub(mul(z, size), mul(m, beta1)), 1 - beta1) as AnyTensor : z,
        ),
    },
  };
}

/** What a frozen moment divides by. */
function frozenSize(v: AnyTensor, options: OneBitLambOptions): Tensor {
  const { beta2 = 0.999, epsilon = 1e-6, biasCorrection = true, freeze } = options;
  const whole = biasCorrection ? -Math.expm1(freeze * Math.log(beta2)) : 1;
  return add(sqrt(div(cast(v, "f32"), whole)), epsilon) as Tensor;
}

/** `scaleByAdam` whose second moments of matrices end after `freeze` steps. */
function frozenAdam(options: OneBitLambOptions): Transform {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, biasCorrection = true, freeze } = options;
  return {
    init: (params) => ({ m: moments(params), v: moments(params) }),
    update: (updates, state, params, { count }) => {
      const { m, v } = state as unknown as Moments, isLate = greater(count, freeze);
      const c1 = correction(beta1, count);
      const next = updates.map((g, i) => {
        const { value, settings: { stateDtype } } = params[i]!, isFrozen = isMatrix(sizesOf(value));
        const mean = add(mul(cast(m[i]!, "f32"), beta1), mul(g, 1 - beta1));
        const old = cast(v[i]!, "f32"), fresh = add(mul(old, beta2), mul(square(g), 1 - beta2));
        const raw = isFrozen ? where(isLate, old, fresh) : fresh;
        const c2 = correction(beta2, isFrozen ? minimum(count, freeze) : count);
        const [hat, spread] = biasCorrection ? [div(mean, c1), div(raw, c2)] : [mean, raw];
        return {
          update: div(hat, add(sqrt(spread), epsilon)) as AnyTensor,
          m: cast(mean, stateDtype) as AnyTensor,
          v: cast(raw, stateDtype) as AnyTensor,
        };
      });
      return {
        updates: next.map((n) => n.update),
        state: { m: next.map((n) => n.m), v: next.map((n) => n.v) },
      };
    },
  };
}
