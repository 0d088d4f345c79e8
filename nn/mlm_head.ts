/**
 * Masked language modelling: what stood at the masked positions. The head looks at those positions alone and shares its
 * output rows with the token embeddings.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  argmax,
  cast,
  type Dim,
  einsum,
  embedding,
  equal,
  expandDims,
  gelu,
  layerNorm,
  logSumExp,
  mul,
  reshape,
  type Size,
  sizesOf,
  sub,
  sum,
  takeAlongAxis,
  type Tensor,
} from "../core/mod.ts";
import { type LinearSpec, linearSpec } from "./linear.ts";
import { type NormSpec, normSpec } from "./layer_norm.ts";
import { constant, type Spec, type TensorsOf } from "./spec.ts";

/** Parameters of the head; the output rows are the token embeddings. */
export interface MlmHeadSpec<V, C> {
  /** Affine map before the output rows. */
  readonly dense: LinearSpec<C, C>;
  /** Normalisation before the output rows. */
  readonly norm: NormSpec<C>;
  /** One number a token. */
  readonly bias: Spec<[V], "f32">;
}

/** Specs of the head. */
export function mlmHeadSpec<V extends Dim, C extends Dim>(
  vocabulary: Size<V>,
  width: Size<C>,
  std = 0.02,
): MlmHeadSpec<V, C> {
  return {
    dense: linearSpec(width, width, std),
    norm: normSpec(width),
    bias: constant([vocabulary] as never, 0) as Spec<[V], "f32">,
  };
}

/**
 * Scores of every token at some positions.
 *
 * Shapes: hidden [B, T, C], positions [P] (numbers of positions in the whole batch, b · T + t), tokens [V, C] -> [P, V].
 */
export function mlmLogits<
  B extends Dim,
  T extends Dim,
  P extends Dim,
  V extends Dim,
  C extends Dim,
>(
  p: TensorsOf<MlmHeadSpec<V, C>>,
  tokens: Tensor<[V, C]>,
  hidden: Tensor<[B, T, C]>,
  positions: Tensor<[P], "i32">,
): Tensor<[P, V]> {
  const flat: AnyTensor = reshape(hidden as AnyTensor, [-1, sizesOf(hidden)[2]!]);
  const rows: Tensor<[P, C]> = embedding(flat, positions);
  const dense = gelu(add(einsum("pc,cd->pd", rows, p.dense.w), p.dense.b));
  const h: Tensor<[P, C]> = layerNorm(dense as AnyTensor, p.norm.gain, p.norm.bias);
  return add(einsum("pc,vc->pv", h, tokens), p.bias);
}

/** A loss before it is divided: any split of a batch adds up. */
export interface LossSum {
  /** Σ weight · -log p(label). */
  readonly sum: Tensor<[]>;
  /** Σ weight. */
  readonly weight: Tensor<[]>;
  /** Σ weight of the positions whose best token is the label. */
  readonly correct: Tensor<[]>;
}

/**
 * Cross-entropy of the labels, as sums. Positions of weight 0 are padding. Log-probabilities in f32.
 *
 * Shapes: logits [P, V], labels [P], weights [P].
 */
export function crossEntropy<P extends Dim, V extends Dim>(
  logits: Tensor<[P, V]>,
  labels: Tensor<[P], "i32">,
  weights: Tensor<[P]>,
): LossSum {
  const all: AnyTensor = cast(logits as AnyTensor, "f32");
  const chosen: AnyTensor = reshape(takeAlongAxis(all, expandDims(labels as AnyTensor, 1), 1), [
    -1,
  ]);
  const nll: AnyTensor = sub(logSumExp(all, 1), chosen);
  const hit: AnyTensor = cast(equal(argmax(all, 1), labels as AnyTensor), "f32");
  return {
    sum: sum(mul(nll, weights as AnyTensor)) as AnyTensor,
    weight: sum(weights as AnyTensor) as AnyTensor,
    correct: sum(mul(hit, weights as AnyTensor)) as AnyTensor,
  };
}
