/**
 * What the losses of clicks are divided by, of a whole batch, before anything is computed.
 *
 * @module
 */
import type { ClickBatch } from "./click_batches.ts";
import type { ClickLossName } from "./losses.ts";

/** The weight that a loss gives for a batch: see `losses.ts`. */
export function clickWeight(
  name: ClickLossName,
  { I, D, shown, clicks, propensities, ranks }: ClickBatch,
): number {
  let sum = 0;
  for (let i = 0; i < I * D; i++) {
    if (!shown[i]) continue;
    if (name === "pointwise") sum += clicks[i] ? propensities[i]! : 1;
    else if (clicks[i] && name === "listwise") sum += propensities[i]!;
    else if (clicks[i]) {
      const first = i - i % D;
      for (let j = first; j < first + D; j++) {
        if (!shown[j] || clicks[j] || name === "skip-above" && ranks[j]! > ranks[i]!) continue;
        sum += propensities[i]!;
      }
    }
  }
  return sum;
}

/** Impressions [from, to) of a batch. */
export function clickPart(batch: ClickBatch, from: number, to: number): ClickBatch {
  const { I, D, T, P } = batch;
  if (from === 0 && to === I) return batch;
  const rows = [from * D, to * D] as const;
  const cut = <A extends { slice(from: number, to: number): A }>(a: A, each: number): A =>
    a.slice(rows[0] * each, rows[1] * each);
  const weights = cut(batch.weights, P);
  return {
    I: to - from,
    D,
    T,
    P,
    ids: cut(batch.ids, T),
    keep: cut(batch.keep, T),
    segments: cut(batch.segments, T),
    positions: cut(batch.positions, P).map((at, p) => weights[p] === 0 ? 0 : at - rows[0] * T),
    labels: cut(batch.labels, P),
    weights,
    shown: cut(batch.shown, 1),
    clicks: cut(batch.clicks, 1),
    propensities: cut(batch.propensities, 1),
    ranks: cut(batch.ranks, 1),
  };
}
