/**
 * How well scores order what was shown.
 *
 * @module
 */

/** Scores and labels of one query's titles. */
export interface Ranked {
  readonly scores: readonly number[];
  /** Clicks, or grades from 0. */
  readonly labels: readonly number[];
}

/**
 * The probability that a positive one is above a negative one; equal scores count half. NaN where only one kind is there.
 *
 * AUC = (Σ ranks of positives - n₊(n₊+1)/2) / (n₊ n₋), with mean ranks of ties.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { auc } from "./metrics.ts";
 *
 * assertEquals(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 0.75);
 * ```
 */
export function auc(scores: readonly number[], labels: readonly number[]): number {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  let ranks = 0, positives = 0;
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    for (let i = from; i < to; i++) {
      if (labels[order[i]!]! <= 0) continue;
      positives++;
      ranks += (from + 1 + to) / 2;
    }
    from = to;
  }
  const negatives = labels.length - positives;
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

/** Mean of -log of the probability of what happened, of logits. */
export function logLoss(logits: readonly number[], clicks: readonly number[]): number {
  const each = logits.map((x, i) => {
    const signed = clicks[i]! > 0 ? -x : x;
    return Math.max(signed, 0) + Math.log1p(Math.exp(-Math.abs(signed)));
  });
  return each.reduce((a, b) => a + b, 0) / each.length;
}

const gain = (label: number): number => 2 ** label - 1;

/**
 * Σ (2^label - 1) / log₂(place + 1) over the first k places by score, over its best value; undefined where no title is relevant. Equal
 * scores stay in the order given.
 *
 * Source: Järvelin and Kekäläinen 2002; Burges et al. 2005 for the gain.
 */
export function ndcg({ scores, labels }: Ranked, k: number): number | undefined {
  const dcg = (sorted: readonly number[]): number =>
    sorted.slice(0, k).reduce((sum, label, i) => sum + gain(label) / Math.log2(i + 2), 0);
  const best = dcg([...labels].sort((a, b) => b - a));
  if (best === 0) return undefined;
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
  return dcg(order.map((i) => labels[i]!)) / best;
}

/**
 * Pairs in the right order over pairs in the wrong order, of all pairs of one query with different labels; equal scores count as half of each.
 */
export function positiveNegativeRatio(queries: readonly Ranked[]): number {
  let right = 0, wrong = 0;
  for (const { scores, labels } of queries) {
    for (let i = 0; i < labels.length; i++) {
      for (let j = 0; j < labels.length; j++) {
        if (labels[i]! <= labels[j]!) continue;
        const difference = scores[i]! - scores[j]!;
        right += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
        wrong += difference < 0 ? 1 : difference === 0 ? 0.5 : 0;
      }
    }
  }
  return right / wrong;
}

/** All figures of a ranking. */
export interface RankingFigures {
  readonly auc: number;
  readonly log_loss: number;
  readonly ndcg_1: number;
  readonly ndcg_3: number;
  readonly ndcg_5: number;
  readonly ndcg_10: number;
  readonly pnr: number;
  readonly queries: number;
}

/** Figures over queries: AUC and log loss over all titles, NDCG as the mean over queries with something relevant. */
export function rankingFigures(queries: readonly Ranked[]): RankingFigures {
  const scores = queries.flatMap((q) => q.scores), labels = queries.flatMap((q) => q.labels);
  const mean = (k: number): number => {
    const found = queries.flatMap((q) => ndcg(q, k) ?? []);
    return found.reduce((a, b) => a + b, 0) / found.length;
  };
  return {
    auc: auc(scores, labels),
    log_loss: logLoss(scores, labels),
    ndcg_1: mean(1),
    ndcg_3: mean(3),
    ndcg_5: mean(5),
    ndcg_10: mean(10),
    pnr: positiveNegativeRatio(queries),
    queries: queries.length,
  };
}
