/**
 * Multi-head attention under any position scheme (scheme.ts has the formula).
 *
 * Position terms cost O(T R K) products with the R rows and a pick by bucket, not O(T² K): q · K_β is computed for every row;
 * on the value side the weights are first added up by bucket.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  type Dim,
  einsum,
  expandDims,
  mul,
  relativeAttention,
  type Shape,
  sizesOf,
  slice,
  sub,
  type Tensor,
} from "../../core/mod.ts";
import { type Dropout, siteKeys } from "../dropout.ts";
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

/** A layer's tensors by name. */
export type Own = Readonly<Record<string, AnyTensor | undefined>>;

/** The rows of a term as the heads see them: [H, R, K], or [R, K] if all see the same. */
function rowsOf(positions: Positions, own: Own, side: "key" | "query" | "value"): AnyTensor {
  const { scheme: { [`${side}Side` as const]: from, projections }, rows } = positions;
  // Sinusoids are f32, whatever the pass is computed in.
  if (from === "direct") return own[`${side}Table`] ?? cast(positions.direct!, own.wq!.dtype);
  const project = (w: AnyTensor): AnyTensor => einsum("rc,chk->hrk", cast(rows!, w.dtype), w);
  if (projections === "own") return project(own[`${side}Rows`]!);
  // With the biases of keys and queries, as DeBERTa v2 does. That of values is part of every result already.
  if (side === "value") return project(own.wv!);
  const [w, b] = side === "key" ? [own.wk!, own.bk!] : [own.wq!, own.bq!];
  return add(project(w), expandDims(b, 1));
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
  const both = inF32(einsum("bhqk,shk->bhqs", query, vectors));
  const [other, equal] = [0, 1].map((s): AnyTensor => slice(both, 3, s, s + 1));
  return add(other!, mul(same, sub(equal!, other!)));
}

/** What attention reads: its scores and its softmax are f32. */
const inF32 = (x: AnyTensor): AnyTensor => cast(x, "f32");

/** What the position terms add to the scores. */
export interface PositionTerms {
  /** [B, H, T, R]: by query, for every row. */
  readonly keyTerm?: AnyTensor;
  /** [B, H, T, R]: by key, for every row. */
  readonly queryTerm?: AnyTensor;
  /** Each broadcasts to [B, H, T, T]. */
  readonly added: readonly AnyTensor[];
}

/** The position terms by query, by key, and between segments, from q and k of one layer. */
export function positionTerms(
  p: Own,
  query: (shift: AnyTensor | undefined) => AnyTensor,
  k: AnyTensor,
  positions: Positions,
): PositionTerms {
  const { scheme, scale, same, added } = positions;
  const segment = p.segment && same && mul(segmentTerm(query(p.z), p.segment, same), scale);
  return {
    ...scheme.keySide !== "off" && {
      keyTerm: inF32(timesRows(query(p.w), rowsOf(positions, p, "key"))),
    },
    ...scheme.querySide !== "off" && {
      queryTerm: inF32(timesRows(k, rowsOf(positions, p, "query"))),
    },
    added: segment ? [...added, segment as AnyTensor] : added,
  };
}

/**
 * Attends from every position of x to all that are kept.
 *
 * Shapes: x [B, T, C] -> out [B, T, C]. Scores and softmax in f32, whatever x is.
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
  const own = p as unknown as Own;
  const q = add(einsum("btc,chk->bhtk", x, p.wq), expandDims(p.bq, 1));
  const k = add(einsum("btc,chk->bhtk", x, p.wk), expandDims(p.bk, 1));
  const v = add(einsum("btc,chk->bhtk", x, p.wv), expandDims(p.bv, 1));
  const query = (shift: AnyTensor | undefined): Tensor<[B, H, T, K]> =>
    shift ? add(q as AnyTensor, expandDims(shift, 1)) as AnyTensor : q;

  const { scheme, scale, offsets, bias, keep } = positions, byValue = scheme.valueSide !== "off";
  const [read, shown, values] = [query(own.u), k, v].map((y) => inF32(y as AnyTensor));
  const { out, sums } = relativeAttention<B, H, T, K>(read!, shown!, values!, {
    scale,
    ...positionTerms(own, query, k, positions),
    ...offsets && { rows: offsets },
    ...bias && { bias: inF32(bias) },
    ...keep && { keep },
    sums: byValue,
    ...drop && { dropout: { keys: siteKeys(drop, site), rate: drop.rate } },
  });
  const narrow = (y: AnyTensor): AnyTensor => cast(y, x.dtype);
  const mixed: Tensor<[B, H, T, K]> = byValue
    ? plus(narrow(out as AnyTensor), mixRows(narrow(sums!), rowsOf(positions, own, "value")))
    : narrow(out as AnyTensor);
  return { out: add(einsum("bhtk,hkc->btc", mixed, p.wo), p.bo), q, k, v };
}

/** x + a term of its shape, which the compiler cannot see. */
function plus<S extends Shape>(x: Tensor<S>, term: AnyTensor): Tensor<S> {
  return add(x as AnyTensor, term) as AnyTensor;
}
