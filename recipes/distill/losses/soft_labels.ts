/**
 * What a teacher holds probable, all of it and not the best answer alone.
 *
 * @module
 */
import {
  type AnyTensor,
  cast,
  exp,
  logSoftmax,
  mul,
  sizesOf,
  sub,
  sum,
} from "../../../core/mod.ts";

/**
 * τ² KL( softmax(teacher / τ) ‖ softmax(student / τ) ) of every row: the factor keeps gradients of the same size at every temperature τ.
 *
 * Shapes: both [N, L] -> [N]. Computed in f32.
 *
 * Source: Hinton et al. 2015 (arXiv 1503.02531), section 2.
 *
 * @throws {TypeError} if the shapes differ.
 */
export function softLabelLoss(
  student: AnyTensor,
  teacher: AnyTensor,
  temperature: number,
): AnyTensor {
  const [a, b] = [sizesOf(student), sizesOf(teacher)];
  if (a.join() !== b.join()) {
    throw new TypeError(`Cannot learn from logits [${b}]: the student's are [${a}]`);
  }
  const [found, wanted] = [student, teacher].map((x): AnyTensor =>
    logSoftmax(mul(cast(x, "f32") as AnyTensor, 1 / temperature), 1)
  );
  const divergence: AnyTensor = sum(mul(exp(wanted!), sub(wanted!, found!)), 1);
  return mul(divergence, temperature ** 2);
}
