/**
 * Weights of tasks, learnt from how uncertain each is.
 *
 *     L = Σ_k e^(-s_k) L_k + s_k / 2        ∂L/∂s_k = 1/2 - e^(-s_k) L_k
 *
 * s_k = log σ_k² starts at 0. At a loss that does not change, σ_k² becomes 2 L_k. The s are no weights of a model: Adam moves them at a rate
 * of their own, without decay and without a trust ratio, and they are kept within ±5. A task that a batch lacks is left alone: its s, its
 * moments and its count of steps.
 *
 * Source: Kendall, Gal, Cipolla, arXiv 1705.07115, section 3.2, for classification.
 *
 * @module
 */
import {
  add,
  cast,
  div,
  exp,
  expm1,
  greater,
  maximum,
  minimum,
  mul,
  neg,
  sqrt,
  square,
  sub,
  type Tensor,
  where,
  zeros,
} from "../../core/mod.ts";

/** K tasks: log variances, Adam's moments, and how many steps each task has taken. */
export interface TaskState {
  readonly s: Tensor<[2]>;
  readonly m: Tensor<[2]>;
  readonly v: Tensor<[2]>;
  readonly count: Tensor<[2]>;
}

/** Before the first step. */
export const freshTasks = (): TaskState => ({
  s: zeros([2]),
  m: zeros([2]),
  v: zeros([2]),
  count: zeros([2]),
});

const RATE = 0.005, BETA1 = 0.9, BETA2 = 0.99, EPSILON = 1e-8, MOST = 5;

/** What each task's loss is multiplied with. */
export function taskWeights({ s }: Pick<TaskState, "s">): Tensor<[2]> {
  return exp(neg(s));
}

/** One step by the mean losses of a batch; `there` is 0 for a task that it lacks. `take` is 0 where the step is skipped. */
export function learnTasks(
  tasks: TaskState,
  losses: Tensor<[2]>,
  there: Tensor<[2]>,
  take: Tensor<[]>,
  rate: number = RATE,
): TaskState {
  const moves = greater(mul(there, take), 0),
    slope = add(neg(mul(taskWeights(tasks), losses)), 0.5);
  const count = add(tasks.count, cast(moves, "f32"));
  const m = add(mul(tasks.m, BETA1), mul(slope, 1 - BETA1));
  const v = add(mul(tasks.v, BETA2), mul(square(slope), 1 - BETA2));
  const unbiased = (beta: number): Tensor<[2]> => neg(expm1(mul(count, Math.log(beta))));
  const step = div(div(m, unbiased(BETA1)), add(sqrt(div(v, unbiased(BETA2))), EPSILON));
  const s = maximum(minimum(sub(tasks.s, mul(step, rate)), MOST), -MOST);
  const moved = (next: Tensor<[2]>, before: Tensor<[2]>): Tensor<[2]> => where(moves, next, before);
  return { s: moved(s, tasks.s), m: moved(m, tasks.m), v: moved(v, tasks.v), count };
}
