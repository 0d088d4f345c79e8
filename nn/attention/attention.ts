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
  readonly out: Tensor<[B, T, C]>;
  readonly q: Tensor<[B, H, T, K]>;
  readonly k: Tensor<[B, H, T, K]>;
  readonly v: Tensor<[B, H, T, K]>;
}

/** [H, K] as it is added to [B, H, T, K]. */
const perHead = (x: AnyTensor): AnyTensor => expandDims(x, 1);

/** x [B, H, T, R] at the rows of index [T, T]: [B, H, T, T]. */
function pick(x: AnyTensor, index: AnyTensor): AnyTensor {
  const [B, H, T] = sizesOf(x);
  return takeAlongAxis(x, broadcastTo(index, [B!, H!, T!, T!]), 3);
}

/** Weights [B, H, T, T] added up by the rows of index [T, T]: [B, H, T, R]. */
function byRow(weights: AnyTensor, index: AnyTensor, rows: number): AnyTensor {
  return addAlongAxis(broadcastTo(index, [...sizesOf(weights)]), weights, rows, 3);
}

/** The rows of a term as every head sees them: [H, R, K], or [R, K] if all see the same. */
function rowsOf(
  p: Positions,
  projection: AnyTensor | undefined,
  table: AnyTensor | undefined,
): AnyTensor {
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
  const { scheme, index, indexT } = positions;
  const head = (w: AnyTensor, b: AnyTensor): AnyTensor =>
    add(einsum("btc,chk->bhtk", x, w), perHead(b));
  const [q, k, v] = [head(p.wq, p.bq), head(p.wk, p.bk), head(p.wv, p.bv)];
  const query = (shift: AnyTensor | undefined): AnyTensor => shift ? add(q, perHead(shift)) : q;

  let scores: AnyTensor = einsum("bhqk,bhjk->bhqj", query(own.u), k);
  if (scheme.keySide !== "off") {
    const rows = rowsOf(positions, own.keyRows, own.keyTable);
    scores = add(scores, pick(timesRows(query(own.w), rows), index!));
  }
  if (scheme.querySide !== "off") {
    const rows = rowsOf(positions, own.queryRows, undefined);
    scores = add(scores, swapaxes(pick(timesRows(k, rows), indexT!), 2, 3));
  }
  if (own.segment && positions.same) {
    // (q + z) · s for both kinds of pair, then the one that holds.
    const both: AnyTensor = einsum("bhqk,shk->bhqs", query(own.z), own.segment);
    scores = add(scores, ofPair(both, positions.same));
  }
  scores = mul(scores, positions.scale);
  for (const term of positions.added) scores = add(scores, term);

  const weights: AnyTensor = dropout(softmax(scores, -1), drop as Dropout | undefined, site);
  let mixed: AnyTensor = einsum("bhqj,bhjk->bhqk", weights, v);
  if (scheme.valueSide !== "off") {
    const rows = rowsOf(positions, own.valueRows, own.valueTable);
    const count = sizesOf(rows).at(-2)!;
    mixed = add(mixed, mixRows(byRow(weights, index!, count), rows));
  }
  const out: AnyTensor = add(einsum("bhtk,hkc->btc", mixed, p.wo), p.bo);
  return { out, q, k, v };
}

/** both [B, H, T, 2] = (other, same), same [B, 1, T, T]: [B, H, T, T]. */
function ofPair(both: AnyTensor, same: AnyTensor): AnyTensor {
  const [other, equal] = [0, 1].map((s): AnyTensor => slice(both, 3, s, s + 1));
  return add(other!, mul(same, sub(equal!, other!)));
}
