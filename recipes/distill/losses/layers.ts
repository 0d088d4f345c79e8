/**
 * What a student's layers make of a text, each against one of the teacher's: layer m of M against layer m · N / M of N.
 *
 *     L = h(0) + Σ_m ( h(m) + a(m) )
 *     h(m) = mean (LN(X_m student) W - LN(X_mN/M teacher))²        W: learnt, one for the embeddings (m = 0), one for all layers
 *     a(m) = mean (S_m student - S_mN/M teacher)²                  S: scores before the softmax, of every head and pair of tokens
 *
 * LN has no parameters: under Pre-LN the states of deep layers are larger than those of the first, and would be all that counts.
 *
 * Source: Jiao et al. 2020, TinyBERT (arXiv 1909.10351), equations 7 to 9, but for the normalisation.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  div,
  einsum,
  expandDims,
  layerNorm,
  maximum,
  mean,
  mul,
  ones,
  size,
  sizesOf,
  square,
  sub,
  sum,
  zeros,
} from "../../../core/mod.ts";
import { normal, type Spec, type TensorsOf } from "../../../nn/mod.ts";
import { perSequence } from "./per_sequence.ts";

/** What leads from a student's states to its teacher's, learnt beside the student and no part of it. */
export interface BridgeSpec {
  readonly embeddings: Spec<["C", "D"], "f32">;
  readonly layers: Spec<["C", "D"], "f32">;
}

/** A bridge's tensors. */
export type Bridge = TensorsOf<BridgeSpec>;

/** A bridge between states of these widths: a state of variance 1 comes out with about that. */
export function bridgeSpec(student: number, teacher: number): BridgeSpec {
  const map = normal([size("C", student), size("D", teacher)], 1 / Math.sqrt(student));
  return { embeddings: map, layers: map };
}

/** What is compared. Shapes: M + 1 states [B, T, C], the embeddings first; scores of M layers [B, H, T, T]. */
export interface Layers {
  readonly states: readonly AnyTensor[];
  readonly scores: readonly AnyTensor[];
}

/** Mean 0 and variance 1 over the last axis. */
function plainNorm(x: AnyTensor): AnyTensor {
  const C = sizesOf(x).at(-1)!, wide = cast(x, "f32") as AnyTensor;
  return layerNorm(wide, ones([C]) as AnyTensor, zeros([C]) as AnyTensor);
}

/** h of each sequence. */
function stateLoss(own: AnyTensor, other: AnyTensor, w: AnyTensor, keep: AnyTensor): AnyTensor {
  const led: AnyTensor = einsum("btc,cd->btd", plainNorm(own), w);
  return perSequence(mean(square(sub(led, plainNorm(other))), 2), keep);
}

/** a of each sequence. */
function scoreLoss(own: AnyTensor, other: AnyTensor, keep: AnyTensor): AnyTensor {
  const heads: AnyTensor = mean(square(sub(own, other)), 1); // [B, T, T]
  const rows: AnyTensor = sum(mul(heads, expandDims(keep, 1)), 2);
  const tokens: AnyTensor = sum(keep, 1);
  return perSequence(div(rows, expandDims(maximum(tokens, 1), 1)), keep);
}

/**
 * The loss of each sequence. Padding counts neither as query nor as key.
 *
 * Shapes: keep [B, T] -> [B]. Computed in f32.
 *
 * @throws {RangeError} if the student's layers do not divide the teacher's.
 */
export function layerLoss(
  student: Layers,
  teacher: Layers,
  bridge: Bridge,
  keep: AnyTensor,
): AnyTensor {
  const M = student.scores.length, N = teacher.scores.length;
  if (N % M !== 0) throw new RangeError(`Cannot map ${M} layers onto ${N}: they must divide them`);
  const parts = student.states.flatMap((state, m): readonly AnyTensor[] => {
    const to = m * N / M, w = m === 0 ? bridge.embeddings : bridge.layers;
    const h = stateLoss(state, teacher.states[to]!, w as AnyTensor, keep);
    return m === 0 ? [h] : [h, scoreLoss(student.scores[m - 1]!, teacher.scores[to - 1]!, keep)];
  });
  return parts.reduce((a, b) => add(a, b));
}
