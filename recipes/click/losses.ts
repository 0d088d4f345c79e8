/**
 * Losses of clicks, over lists of titles that were shown together.
 *
 * Shapes: I impressions of D places; a place that is left over has `keep` 0 and counts for nothing. Sums and weights are given, so that any
 * split of a batch adds up. `weights` are inverse propensities: a click far down counts for those that nobody scrolled to.
 *
 * @module
 */
import {
  add,
  cast,
  expandDims,
  greater,
  logSoftmax,
  mul,
  neg,
  softplus,
  sub,
  sum,
  type Tensor,
  where,
} from "../../core/mod.ts";

/** What was shown and clicked. */
export interface Clicks {
  /** 1 for a title that was shown, 0 for a place left over. */
  readonly keep: Tensor<["I", "D"]>;
  /** 1 for a click. */
  readonly clicks: Tensor<["I", "D"]>;
  /** 1 / θ of the place, clipped; 1 without correction. */
  readonly weights: Tensor<["I", "D"]>;
  /** The rank, from 1. */
  readonly ranks: Tensor<["I", "D"]>;
}

/** A loss as a sum and what it is to be divided by. */
export interface ClickLoss {
  readonly sum: Tensor<[]>;
  readonly weight: Tensor<[]>;
}

/** A loss by scores. */
export type ClickLossOf = (
  scores: Tensor<["I", "D"]>,
  shown: Clicks,
) => ClickLoss;

/**
 * Each title by itself: clicked or not.
 *
 *     Σ w c softplus(-s) + (1 - c) softplus(s)  over  Σ w c + (1 - c)
 *
 * Clicks alone are weighted: the unbiased estimate, softplus(s) - w c s, has no minimum where w c > 1.
 */
export const pointwise: ClickLossOf = (scores, { keep, clicks, weights }) => {
  const clicked = mul(mul(keep, clicks), weights), passed = mul(keep, add(neg(clicks), 1));
  const each = add(mul(clicked, softplus(neg(scores))), mul(passed, softplus(scores)));
  return { sum: sum(each, [0, 1]), weight: sum(add(clicked, passed), [0, 1]) };
};

/**
 * A clicked title above those that were passed over.
 *
 *     Σ w_i softplus(s_j - s_i)  over clicked i and j that is not clicked and stands above i
 *
 * What stands above a click was looked at and passed over; what stands below may never have been seen.
 *
 * Source: Joachims, "Optimizing search engines using clickthrough data" (KDD 2002), section 2.2.
 */
export const skipAbove: ClickLossOf = (scores, shown) => pairs(scores, shown, true);

/** A clicked title above all that were shown and not clicked. */
export const pairwise: ClickLossOf = (scores, shown) => pairs(scores, shown, false);

function pairs(
  scores: Tensor<["I", "D"]>,
  { keep, clicks, weights, ranks }: Clicks,
  above: boolean,
): ClickLoss {
  const clicked = expandDims(mul(mul(keep, clicks), weights), 2);
  const passed = expandDims(mul(keep, add(neg(clicks), 1)), 1);
  const all = mul(clicked, passed);
  const counted = above
    ? mul(all, cast(greater(expandDims(ranks, 2), expandDims(ranks, 1)), "f32"))
    : all;
  const each = softplus(sub(expandDims(scores, 1), expandDims(scores, 2)));
  return { sum: sum(mul(counted, each), [0, 1, 2]), weight: sum(counted, [0, 1, 2]) };
}

/**
 * The clicks as a distribution over the list.
 *
 *     -Σ w_i c_i log softmax(s)_i  over  Σ w_i c_i
 *
 * Source: Cao et al., "Learning to rank: from pairwise approach to listwise approach" (ICML 2007), with the first place alone.
 */
export const listwise: ClickLossOf = (scores, { keep, clicks, weights }) => {
  const hidden = where(greater(keep, 0), scores, -1e9);
  const clicked = mul(mul(keep, clicks), weights);
  return {
    sum: neg(sum(mul(clicked, logSoftmax(hidden, 1)), [0, 1])),
    weight: sum(clicked, [0, 1]),
  };
};

/** The losses by name. */
export const clickLosses = {
  pointwise,
  pairwise,
  "skip-above": skipAbove,
  listwise,
} as const satisfies Readonly<Record<string, ClickLossOf>>;

/** A loss's name. */
export type ClickLossName = keyof typeof clickLosses;
