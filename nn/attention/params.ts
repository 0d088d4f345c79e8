/**
 * The parameters of attention under a scheme: only those that its terms need exist.
 *
 * @module
 */
import { type AnyTensor, type Dim, type Size, size } from "../../core/mod.ts";
import { type NormSpec, normSpec } from "../layer_norm.ts";
import { constant, given, like, normal, type Spec, type TensorsOf } from "../spec.ts";
import { bucketCount, rowSinusoids } from "./index.ts";
import { type Rows, type Scheme, usesSharedRows } from "./scheme.ts";

/** An f32 parameter. */
export type F32<S> = Spec<S, "f32">;

/** Sizes of an attention: width C, heads H, width of a head K. */
export interface AttentionSizes<C extends Dim, H extends Dim, K extends Dim> {
  /** Width of the model. */
  readonly width: Size<C>;
  /** Number of heads. */
  readonly heads: Size<H>;
  /** Width of a head. */
  readonly headWidth: Size<K>;
}

/** What one layer has of its own. */
export interface AttentionSpec<C, H, K> {
  /** Query weights. */
  readonly wq: F32<[C, H, K]>;
  /** Query biases. */
  readonly bq: F32<[H, K]>;
  /** Key weights. */
  readonly wk: F32<[C, H, K]>;
  /** Key biases. */
  readonly bk: F32<[H, K]>;
  /** Value weights. */
  readonly wv: F32<[C, H, K]>;
  /** Value biases. */
  readonly bv: F32<[H, K]>;
  /** Output weights. */
  readonly wo: F32<[H, K, C]>;
  /** Output bias. */
  readonly bo: F32<[C]>;
  /** Projections of the shared rows, where they have their own. */
  readonly keyRows?: F32<[C, H, K]>;
  /** Of the query-side term. */
  readonly queryRows?: F32<[C, H, K]>;
  /** Of the value-side term. */
  readonly valueRows?: F32<[C, H, K]>;
  /** The layer's own learnt rows, for a direct term. */
  readonly keyTable?: F32<["R", K]>;
  /** For the value side. */
  readonly valueTable?: F32<["R", K]>;
  /** Added to the query, per head, in the content, key-side and segment terms. */
  readonly u?: F32<[H, K]>;
  /** In the key-side term. */
  readonly w?: F32<[H, K]>;
  /** In the segment term. */
  readonly z?: F32<[H, K]>;
  /** Vectors of "other segment" and "same segment". */
  readonly segment?: F32<[2, H, K]>;
}

/** What all layers share. */
export interface SharedSpec<C, H, K> {
  /** Learnt rows for projected terms. */
  readonly rows?: F32<["R", C]>;
  /** One number a bucket and head. */
  readonly bias?: F32<["R", H]>;
  /** For other and same segment, by head. */
  readonly segmentBias?: F32<[2, H]>;
  /** Absolute positions and their projections. */
  readonly absolute?: {
    readonly table: F32<["N", C]>;
    readonly norm: NormSpec<C>;
    readonly wq: F32<[C, H, K]>;
    readonly wk: F32<[C, H, K]>;
  };
}

/** A layer's parameters. */
export type AttentionParams<C, H, K> = TensorsOf<AttentionSpec<C, H, K>>;
/** The shared parameters. */
export type SharedParams<C, H, K> = TensorsOf<SharedSpec<C, H, K>>;

/** How the weights of a layer start. */
export interface LayerStart {
  /** Standard deviation; 0.02. */
  readonly std?: number;
  /** Of the projections into the residual, which may start smaller in deep models; `std`. */
  readonly outStd?: number;
  /**
   * Keys start as queries: the score of a token is then highest for its like, near or far, and a model that has to compare two texts
   * need not find that out. W_q W_kᵀ starts near a multiple of the identity, as it is in trained models.
   *
   * Source: Trockman and Kolter 2023, Mimetic Initialization of Self-Attention Layers (arXiv 2305.09828), section 3.
   */
  readonly keysLikeQueries?: boolean;
}

/** Specs of one layer. */
export function attentionSpec<C extends Dim, H extends Dim, K extends Dim>(
  sizes: AttentionSizes<C, H, K>,
  scheme: Scheme,
  { std = 0.02, outStd = std, keysLikeQueries = false }: LayerStart = {},
): AttentionSpec<C, H, K> {
  const { width: C, heads: H, headWidth: K } = sizes;
  const weight = (): F32<[C, H, K]> => normal([C, H, K] as never, std) as F32<[C, H, K]>;
  const zero = (): F32<[H, K]> => constant([H, K] as never, 0) as F32<[H, K]>;
  const table = (): F32<["R", K]> =>
    normal([size("R", bucketCount(scheme)), K] as never, std) as F32<["R", K]>;
  const { keySide, querySide, valueSide, globalBias, segments } = scheme;
  const projected = (side: Rows): boolean => side === "projected" && scheme.projections === "own";
  const learnt = scheme.rows.startsWith("learnt");
  return {
    wq: weight(),
    bq: zero(),
    wk: keysLikeQueries ? like("wq", weight()) : weight(),
    bk: zero(),
    wv: weight(),
    bv: zero(),
    wo: normal([H, K, C] as never, outStd) as F32<[H, K, C]>,
    bo: constant([C] as never, 0) as F32<[C]>,
    ...projected(keySide) && { keyRows: weight() },
    ...projected(querySide) && { queryRows: weight() },
    ...projected(valueSide) && { valueRows: weight() },
    ...keySide === "direct" && learnt && { keyTable: table() },
    ...valueSide === "direct" && learnt && { valueTable: table() },
    ...globalBias.content && { u: zero() },
    ...globalBias.position && { w: zero() },
    ...globalBias.segment && { z: zero() },
    ...segments === "vector" && { segment: normal([2, H, K] as never, std) as F32<[2, H, K]> },
  };
}

/** Specs of what all layers share. */
export function sharedSpec<C extends Dim, H extends Dim, K extends Dim>(
  sizes: AttentionSizes<C, H, K>,
  scheme: Scheme,
  std = 0.02,
): SharedSpec<C, H, K> {
  const { width: C, heads: H, headWidth: K } = sizes, learnt = scheme.rows.startsWith("learnt");
  const rows = (): F32<["R", C]> => {
    const shape = [size("R", bucketCount(scheme)), C] as never;
    // Sinusoids of the size of other parameters, so that direction and distance are there from the first step.
    const start = (): AnyTensor => rowSinusoids(scheme, C as number, 0, std * Math.SQRT2);
    const spec = scheme.rows === "learnt-from-sinusoid" ? given(shape, start) : normal(shape, std);
    return spec as unknown as F32<["R", C]>;
  };
  const weight = (): F32<[C, H, K]> => normal([C, H, K] as never, std) as F32<[C, H, K]>;
  return {
    ...usesSharedRows(scheme) && learnt && { rows: rows() },
    ...scheme.bias && {
      bias: constant([size("R", bucketCount(scheme)), H] as never, 0) as F32<["R", H]>,
    },
    ...scheme.segments === "bias" && { segmentBias: constant([2, H] as never, 0) as F32<[2, H]> },
    ...scheme.absolute > 0 && {
      absolute: {
        table: normal([size("N", scheme.absolute), C] as never, std) as F32<["N", C]>,
        norm: normSpec(C),
        wq: weight(),
        wk: weight(),
      },
    },
  };
}
