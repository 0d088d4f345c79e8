/**
 * Position bias: how likely a rank is looked at.
 *
 * The position-based model says P(click) = θ_rank · γ_(query, title). Both are estimated from the log by expectation maximisation; only
 * titles that were shown at several ranks tell them apart. θ is relative to the first rank.
 *
 * Source: Chuklin, Markov, de Rijke, "Click Models for Web Search" (2015), section 4.2.1; Joachims et al., "Unbiased learning-to-rank
 * with biased feedback" (WSDM 2017) for what the inverse is used for.
 *
 * @module
 */
import type { Impression } from "./impression.ts";

/** P(looked at) by rank, the first of them 1. */
export type Propensities = readonly number[];

/** Rounds of estimation, at most; it stops when nothing moves by more than this. */
const ROUNDS = 200, STILL = 1e-6;
/** What a title and a rank are thought to be before anything is seen, counted as one impression each. */
const PRIOR = 0.5;

/** Estimates propensities. */
export function estimatePropensities(impressions: readonly Impression[]): Propensities {
  const titles = new Map<string, number>();
  const seen: { rank: number; title: number; click: number }[] = [];
  let ranks = 0;
  for (const { query, docs } of impressions) {
    for (const { title, rank, click } of docs) {
      const key = `${query}\t${title}`;
      let id = titles.get(key);
      if (id === undefined) titles.set(key, id = titles.size);
      seen.push({ rank: rank - 1, title: id, click });
      ranks = Math.max(ranks, rank);
    }
  }
  let theta = new Float64Array(ranks).fill(PRIOR),
    gamma = new Float64Array(titles.size).fill(PRIOR);
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [new Float64Array(ranks).fill(PRIOR), new Float64Array(ranks).fill(1)];
    const c = new Float64Array(titles.size).fill(PRIOR), d = new Float64Array(titles.size).fill(1);
    for (const { rank, title, click } of seen) {
      const [t, g] = [theta[rank]!, gamma[title]!], no = 1 - t * g;
      a[rank]! += click || t * (1 - g) / no; // looked at, though not clicked
      b[rank]!++;
      c[title]! += click || (1 - t) * g / no; // relevant, though not clicked
      d[title]!++;
    }
    const next = theta.map((_, i) => a[i]! / b[i]!);
    const moved = next.reduce((most, x, i) => Math.max(most, Math.abs(x - theta[i]!)), 0);
    [theta, gamma] = [next, gamma.map((_, i) => c[i]! / d[i]!)];
    if (moved < STILL) break;
  }
  return Array.from(theta, (x) => x / theta[0]!);
}

/** 1 / θ of a rank, at most `most`: few clicks far down must not be all that is learnt. */
export function inversePropensity(propensities: Propensities, rank: number, most: number): number {
  const theta = propensities[Math.min(rank, propensities.length) - 1] ?? 1;
  return Math.min(most, 1 / theta);
}
