/**
 * A linear-chain conditional random field: a score for every sequence of labels y over scores e of each token,
 *
 *     s(y) = start[y₁] + Σ e[t, y_t] + Σ between[y_t, y_{t+1}] + end[y_n],     p(y) = exp s(y) / Σ exp s
 *
 * Tokens that are not kept are passed over, wherever they stand: their neighbours follow one another. Source: Lafferty, McCallum and
 * Pereira 2001; Lample et al. 2016 (arXiv 1603.01360) on a neural network's scores.
 *
 * @module
 */
import type { Dim, Size, Tensor } from "../../core/mod.ts";
import { constant, type Spec } from "../spec.ts";

/** Scores that belong to labels alone. Finite ones: minus infinity has no gradient. */
export interface CrfSpec<L> {
  /** Of the first label. */
  readonly start: Spec<[L], "f32">;
  /** Of a label (row) that another (column) follows. */
  readonly between: Spec<[L, L], "f32">;
  /** Of the last label. */
  readonly end: Spec<[L], "f32">;
}

/** Specs of a conditional random field over L labels: at first all sequences are alike. */
export function crfSpec<L extends Dim>(labels: Size<L>): CrfSpec<L> {
  return {
    start: constant([labels] as never, 0) as Spec<[L], "f32">,
    between: constant([labels, labels] as never, 0) as Spec<[L, L], "f32">,
    end: constant([labels] as never, 0) as Spec<[L], "f32">,
  };
}

/** The parameters that a CrfSpec becomes. */
export interface Crf<L> {
  /** Of the first label. */
  readonly start: Tensor<[L]>;
  /** Of a label (row) that another (column) follows. */
  readonly between: Tensor<[L, L]>;
  /** Of the last label. */
  readonly end: Tensor<[L]>;
}
