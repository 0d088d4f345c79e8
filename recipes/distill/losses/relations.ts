/**
 * How the tokens of a text relate to one another, in one layer of a teacher and of a student.
 *
 *     R(X) = softmax(X Xᵀ / √d)          X: queries, keys or values of all heads side by side, cut into A relation heads of width d
 *     L    = 1/3 Σ_X∈{Q,K,V} 1/A Σ_a 1/|x| Σ_t KL( R_a(X teacher)_t ‖ R_a(X student)_t )
 *
 * Neither the widths nor the heads of the two need be equal, nor their position schemes: R is T × T, and no position term is in it.
 *
 * Source: Wang et al. 2021, MiniLMv2 (arXiv 2012.15828), equations 4 to 7, with all three weights 1/3.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  einsum,
  exp,
  expandDims,
  logSoftmax,
  mul,
  permute,
  reshape,
  sizesOf,
  sub,
  sum,
} from "../../../core/mod.ts";
import { perSequence } from "./per_sequence.ts";

/** What attention read, by head. Shapes: each [B, H, T, K]. */
export interface Projections {
  readonly q: AnyTensor;
  readonly k: AnyTensor;
  readonly v: AnyTensor;
}

/** What scores of padding are less: their probability is 0. */
const HIDDEN = 1e9;

/** The heads side by side, cut into A. Shapes: [B, H, T, K] -> [B, A, T, H · K / A]. */
function cutInto(A: number, x: AnyTensor): AnyTensor {
  const [B, H, T, K] = sizesOf(x) as [number, number, number, number], C = H * K;
  if (C % A !== 0) {
    throw new RangeError(`Cannot cut a width of ${C} into ${A} relation heads: it must divide it`);
  }
  const rows: AnyTensor = reshape(permute(x, [0, 2, 1, 3]), [B, T, A, C / A]);
  return permute(rows, [0, 2, 1, 3]);
}

/** log R. Shapes: [B, H, T, K] -> [B, A, T, T]. */
function logRelation(x: AnyTensor, keep: AnyTensor, A: number): AnyTensor {
  const rows = cutInto(A, cast(x, "f32") as AnyTensor), d = sizesOf(rows)[3]!;
  const scores: AnyTensor = mul(einsum("batd,basd->bats", rows, rows), 1 / Math.sqrt(d));
  const hidden: AnyTensor = expandDims(expandDims(mul(sub(keep, 1), HIDDEN), 1), 1);
  return logSoftmax(add(scores, hidden), 3);
}

/**
 * The loss of each sequence. Padding is neither related to nor counted.
 *
 * Shapes: keep [B, T] -> [B]. Computed in f32.
 *
 * @throws {RangeError} if A does not divide both widths.
 */
export function relationLoss(
  student: Projections,
  teacher: Projections,
  keep: AnyTensor,
  A: number,
): AnyTensor {
  const divergences = (["q", "k", "v"] as const).map((name): AnyTensor => {
    const wanted = logRelation(teacher[name], keep, A), found = logRelation(student[name], keep, A);
    const each: AnyTensor = sum(mul(exp(wanted), sub(wanted, found)), 3);
    return mul(sum(each, 1), 1 / (3 * A));
  });
  return perSequence(divergences.reduce((a, b) => add(a, b)), keep);
}
