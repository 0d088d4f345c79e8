/**
 * A step of distillation as two programs, replayed as in pretraining: `accumulate` for every micro-batch, then `apply`.
 *
 * @module
 */
import {
  abs,
  add,
  type AnyTensor,
  cast,
  concat,
  type Device,
  div,
  fromArray,
  globalNorm,
  greater,
  isFinite,
  jit,
  type Jitted,
  leaves,
  mapTree,
  max,
  maximum,
  mul,
  not,
  reshape,
  sizesOf,
  sum,
  type Tensor,
  type Tree,
  valueGradAux,
  where,
  zeros,
} from "../../core/mod.ts";
import type { Optimizer, OptimizerState } from "../../optim/mod.ts";
import type { PretrainConfig } from "../pretrain/config.ts";
import type { MlmInputs, Model } from "../pretrain/model.ts";
import { type ClickStepInputs, passOf, type StepInputs } from "../pretrain/step_losses.ts";
import { activeLosses, type DistillConfig } from "./distill_config.ts";
import { addSums, type LossSums, perLoss, type Pupil, textLosses } from "./text_losses.ts";

/** A micro-batch, and one over the sequences and the pairs of the whole step. */
export type DistillInputs = (StepInputs | ClickStepInputs) & {
  readonly rowShare: Tensor<[]>;
  readonly pairShare: Tensor<[]>;
};

/** What micro-batches add up to. */
export interface Sums extends LossSums {
  readonly grads: Pupil;
}

/** What one step leaves behind. */
export interface Applied {
  readonly pupil: Pupil;
  readonly state: OptimizerState;
  /** Zeros, for the next step. */
  readonly sums: Sums;
  /** See `metricNames`; stays on the device until somebody reads it. */
  readonly metrics: AnyTensor;
}

/** What `apply` reports, in the order of its metrics vector. */
export function metricNames(distill: DistillConfig): readonly string[] {
  return ["loss", "grad_norm", "lr", "skipped", ...activeLosses(distill)];
}

/** The programs of a step, and of an evaluation. */
export interface DistillPrograms {
  readonly accumulate: Jitted<[Pupil, Sums, Model, DistillInputs], Sums>;
  readonly apply: Jitted<[Pupil, OptimizerState, Sums], Applied>;
  /** Adds a batch to sums, which it takes over. */
  readonly evaluate: Jitted<[Pupil, LossSums, Model, MlmInputs], LossSums>;
}

/** No loss yet. */
export function noSums(distill: DistillConfig): LossSums {
  const losses = zeros([activeLosses(distill).length]) as AnyTensor;
  return { losses, rows: zeros([]), places: zeros([]), pairs: zeros([]) };
}

/** Zeros to add to. */
export function zeroSums(pupil: Pupil, distill: DistillConfig): Sums {
  const zero = (p: AnyTensor): AnyTensor => zeros([...sizesOf(p)]) as AnyTensor;
  const grads = mapTree(pupil as unknown as Tree<AnyTensor>, zero) as unknown as Pupil;
  return { grads, ...noSums(distill) };
}

/** A tree of a function of the leaves of several. */
function zipped<T>(f: (...leaves: readonly AnyTensor[]) => AnyTensor, first: T, ...more: T[]): T {
  const others = more.map((tree) => leaves(tree as Tree<AnyTensor>));
  let i = -1;
  return mapTree(first as Tree<AnyTensor>, (x) => {
    i++;
    return f(x, ...others.map((list) => list[i]!));
  }) as T;
}

/** Divides nothing by nothing. */
const TINY = 1e-30;

/** The mean of every loss, and all as they count. */
export function means(
  distill: DistillConfig,
  sums: LossSums,
): { readonly each: AnyTensor; readonly loss: Tensor<[]> } {
  const { counts, weights } = perLoss(distill, sums);
  const each: AnyTensor = div(sums.losses, maximum(counts, TINY));
  const loss: AnyTensor = sum(mul(each, fromArray(Float32Array.from(weights), [weights.length])));
  return { each, loss };
}

/** Compiles the programs. */
export function distillPrograms(
  config: PretrainConfig,
  distill: DistillConfig,
  teacher: PretrainConfig,
  optimizer: Optimizer,
  device: Device,
): DistillPrograms {
  const losses = textLosses(distill, config.model, teacher.model);
  const { seed, precision, data: { recompute }, model: { dropout } } = config;
  const options = { seed, dropout, recompute, click: null, precision };
  const gradient = valueGradAux((pupil: Pupil, knows: Model, inputs: DistillInputs) => {
    const found = losses(pupil, knows, inputs, passOf(options, inputs));
    const { rowShare: rows, share: places, pairShare: pairs } = inputs;
    const { counts, weights } = perLoss(distill, { rows, places, pairs });
    const shares = mul(counts, fromArray(Float32Array.from(weights), [weights.length]));
    const loss: AnyTensor = sum(mul(found.losses, shares));
    return [loss as Tensor<[]>, found] as const;
  });
  const accumulate = (pupil: Pupil, sums: Sums, knows: Model, inputs: DistillInputs): Sums => {
    const { grads, aux } = gradient(pupil, knows, inputs);
    return { grads: zipped((a, b) => add(a!, b!), sums.grads, grads), ...addSums(sums, aux) };
  };
  const apply = (pupil: Pupil, state: OptimizerState, sums: Sums): Applied => {
    const finite = isFinite(globalNorm(sums.grads as unknown as Tree<AnyTensor>));
    const next = optimizer.step(pupil, sums.grads, state, finite);
    const { each, loss } = means(distill, sums), { grad_norm, lr } = next.metrics;
    const scalars = [loss, grad_norm!, lr!, cast(not(finite), "f32")];
    return {
      // What no loss reaches stays as it was drawn: decay alone would shrink it to nothing, the more so under a trust ratio.
      pupil: zipped(
        (old, moved, slope) => where(greater(max(abs(slope!)), 0), moved!, old!) as AnyTensor,
        pupil,
        next.params,
        sums.grads,
      ),
      state: next.state,
      sums: zeroSums(pupil, distill),
      metrics: concat([...scalars.map((x): AnyTensor => reshape(x, [1])), each], 0),
    };
  };
  const evaluate = (pupil: Pupil, sums: LossSums, knows: Model, inputs: MlmInputs): LossSums =>
    addSums(sums, losses(pupil, knows, inputs));
  return {
    accumulate: jit(accumulate, { device, donate: [1] }),
    apply: jit(apply, { device, donate: [0, 1, 2] }),
    evaluate: jit(evaluate, { device, donate: [1] }),
  };
}
