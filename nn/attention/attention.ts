/**
 * Multi-head attention under any position scheme (scheme.ts has the formula).
 *
 * Position terms cost O(T R K) products with the R rows and a gather by bucket, not O(T² K): q · K_β is computed for every row and
 * then picked; on the value side the weights are first added up by bucket.
 *
 * @module
 */
import {
  add,
  addAlongAxis,
  type AnyTensor,
  broadcastTo,
  type Dim,
  einsum,
  expandDims,
  mul,
  type Shape,
  sizesOf,
  slice,
  softmax,
  sub,
  swapaxes,
  takeAlongAxis,
  type Tensor,
} from "../../core/mod.ts";
import { type Dropout, dropout } from "../dropout.ts";
import type { AttentionParams } from "./params.ts";
import type { Positions } from "./positions.ts";

/** What one attention gives. q, k and v are per head, for distillation and analysis. */
export interface Attended<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
> {
  /** The result. */
  readonly out: Tensor<[B, T, C]>;
  /** Queries. */
  readonly q: Tensor<[B, H, T, K]>;
  /** Keys. */
  readonly k: Tensor<[B, H, T, K]>;
  /** Values. */
  readonly v: Tensor<[B, H, T, K]>;
}

/** x [B, H, T, R] at the rows of index [T, T]: [B, H, T, T]. */
function pick(x: AnyTensor, index: AnyTensor): AnyTensor {
  const [B, H, T] = sizesOf(x);
  return takeAlongAxis(x, broadcastTo(index, [B!, H!, T!, T!]), 3);
}

/** Weights [B, H, T, T] added up by the rows of index [T, T]: [B, H, T, R]. */
function byRow(weights: AnyTensor, index: AnyTensor, rows: number): AnyTensor {
  return addAlongAxis(broadcastTo(index, [...sizesOf(weights)]), weights, rows, 3);
}

/** The rows of a term as the heads see them: [H, R, K], or [R, K] if all see the same. */
function rowsOf(p: Positions, projection: AnyTensor | undefined, table?: AnyTensor): AnyTensor {
  return projection ? einsum("rc,chk->hrk", p.rows!, projection) : table ?? p.direct!;
}

/** x [B, H, T, K] times every row: [B, H, T, R]. */
function timesRows(x: AnyTensor, rows: AnyTensor): AnyTensor {
  return sizesOf(rows).length === 3
    ? einsum("bhtk,hrk->bhtr", x, rows)
    : einsum("bhtk,rk->bhtr", x, rows);
}

/** Weights by row times the rows: [B, H, T, K]. */
function mixRows(weights: AnyTensor, rows: AnyTensor): AnyTensor {
  return sizesOf(rows).length === 3
    ? einsum("bhtr,hrk->bhtk", weights, rows)
    : einsum("bhtr,rk->bhtk", weights, rows);
}

/** (q + z) · s for both kinds of pair, then the one that holds: [B, H, T, T], from same [B, 1, T, T]. */
function segmentTerm(query: AnyTensor, vectors: AnyTensor, same: AnyTensor): AnyTensor {
  const both: AnyTensor = einsum("bhqk,shk->bhqs", query, vectors);
  const [other, equal] = [0, 1].map((s): AnyTensor => slice(both, 3, s, s + 1));
  return add(other!, mul(same, sub(equal!, other!)));
}

/** The terms of a score beside the content. */
function positionTerms(
  p: Readonly<Record<string, AnyTensor | undefined>>,
  query: (shift: AnyTensor | undefined) => AnyTensor,
  k: AnyTensor,
  positions: Positions,
): AnyTensor[] {
  const { scheme, index, indexT, same } = positions, terms: AnyTensor[] = [];
  if (scheme.keySide !== "off") {
    terms.push(pick(timesRows(query(p.w), rowsOf(positions, p.keyRows, p.keyTable)), index!));
  }
  if (scheme.querySide !== "off") {
    terms.push(swapaxes(pick(timesRows(k, rowsOf(positions, p.queryRows)), indexT!), 2, 3));
  }
  if (p.segment && same) terms.push(segmentTerm(query(p.z), p.segment, same));
  return terms;
}

/**
 * Attends from every position of x to all that are kept.
 *
 * Shapes: x [B, T, C] -> out [B, T, C]. Softmax in f32.
 *
 * @throws {RangeError} if the scheme has fewer absolute positions than T.
 */
export function attention<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
>(
  p: AttentionParams<C, H, K>,
  x: Tensor<[B, T, C]>,
  positions: Positions,
  drop?: Dropout<B>,
  site = 0,
): Attended<B, T, C, H, K> {
  const own = p as unknown as Readonly<Record<string, AnyTensor | undefined>>;
  const q = add(einsum("btc,chk->bhtk", x, p.wq), expandDims(p.bq, 1));
  const k = add(einsum("btc,chk->bhtk", x, p.wk), expandDims(p.bk, 1));
  const v = add(einsum("btc,chk->bhtk", x, p.wv), expandDims(p.bv, 1));
  const query = (shift: AnyTensor | undefined): Tensor<[B, H, T, K]> =>
    shift ? add(q as AnyTensor, expandDims(shift, 1)) as AnyTensor : q;

  let scores: Tensor<[B, H, T, T]> = einsum("bhqk,bhjk->bhqj", query(own.u), k);
  for (const term of positionTerms(own, query, k, positions)) scores = plus(scores, term);
  scores = mul(scores, positions.scale);
  for (const term of positions.added) scores = plus(scores, term);

  const weights = dropout<B, [H, T, T]>(softmax(scores, -1), drop, site);
  let mixed = einsum("bhqj,bhjk->bhqk", weights, v);
  if (positions.scheme.valueSide !== "off") {
    const rows = rowsOf(positions, own.valueRows, own.valueTable);
    const sums = byRow(weights, positions.index!, sizesOf(rows).at(-2)!);
    mixed = plus(mixed, mixRows(sums, rows));
  }
  return { out: add(einsum("bhtk,hkc->btc", mixed, p.wo), p.bo), q, k, v };
}

/** x + a term that broadcasts to its shape, which the compiler cannot see. */
function plus<S extends Shape>(x: Tensor<S>, term: AnyTensor): Tensor<S> {
  return add(x as AnyTensor, term) as AnyTensor;
}
