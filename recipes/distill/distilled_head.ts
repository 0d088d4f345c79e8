/**
 * A task's head that learns from a teacher's answers beside the right ones.
 *
 *     L = α τ² KL( softmax(teacher / τ) ‖ softmax(student / τ) ) + (1 - α) L_task
 *
 * @module
 */
import { add, type AnyTensor, mul, sum } from "../../core/mod.ts";
import type { Head } from "../clue/heads/head.ts";
import { softLabelLoss } from "./losses/soft_labels.ts";

/** How much a student learns from its teacher's answers, and at which temperature τ. */
export interface SoftLabels {
  /** α: 1 learns from the teacher alone, 0 from the right answers alone. */
  readonly alpha: number;
  readonly temperature: number;
}

/** Can a teacher's answers be learnt under this head? They must be scores of one choice among so many. */
export const isSoft = ({ targets }: Head): boolean => targets === 1;

/** The head, for units with the teacher's answers. */
export function distilledHead(head: Head, { alpha, temperature }: SoftLabels): Head {
  return {
    ...head,
    loss(params, outputs, inputs, targets) {
      const own = head.loss(params, outputs, inputs, targets), soft = targets.soft as AnyTensor;
      const each = softLabelLoss(outputs, soft, temperature);
      const taught: AnyTensor = mul(sum(mul(each, targets.weights as AnyTensor)), alpha);
      return { ...own, sum: add(mul(own.sum, 1 - alpha), taught) };
    },
  };
}
