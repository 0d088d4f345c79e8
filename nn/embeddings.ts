/**
 * From token ids to vectors: token rows, and in BERT's own layout absolute positions and segments beside them, normalised.
 *
 *     x_t = LN( E[id_t] + P[t] + S[segment_t] )          every term after the first, and LN, a switch
 *
 * Positions count from the first place of a row, padding or not. RoBERTa's table has two rows more before its first position, for
 * padding: it is loaded without them.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  type Dim,
  embedding,
  fromArray,
  type Size,
  size,
  sizesOf,
  slice,
  type Tensor,
} from "../core/mod.ts";
import { sinusoid } from "./attention/index.ts";
import { norm, type NormSpec, normSpec } from "./layer_norm.ts";
import { normal, type Spec, type TensorsOf } from "./spec.ts";

/** What is added to the token rows. */
export interface EmbeddingOptions {
  /** Absolute positions: none (relative schemes), fixed sinusoids, or so many learnt rows. */
  readonly positions?: "none" | "sinusoid" | number;
  /** Rows for segments; 0 for none. */
  readonly segments?: number;
  /** Standard deviation of those rows at the start; that of the others. As large as tokens', they hide at first which tokens are alike. */
  readonly segmentStd?: number;
  /** Normalise the sum, as BERT does. */
  readonly norm?: boolean;
  /** Of that normalisation; 1e-5. BERT has 1e-12, which matters: at the start the variance of the sum is 1.2e-3. */
  readonly epsilon?: number;
}

/** Tables of the embeddings. */
export interface EmbeddingsSpec<V, C> {
  /** A row a token. */
  readonly tokens: Spec<[V, C], "f32">;
  /** A row an absolute position. */
  readonly positions?: Spec<["P", C], "f32">;
  /** A row a segment. */
  readonly segments?: Spec<["S", C], "f32">;
  /** Of the sum. */
  readonly norm?: NormSpec<C>;
}

/** Specs of the embeddings. */
export function embeddingsSpec<V extends Dim, C extends Dim>(
  vocabulary: Size<V>,
  width: Size<C>,
  options: EmbeddingOptions = {},
  std = 0.02,
): EmbeddingsSpec<V, C> {
  const { positions = "none", segments = 0, segmentStd = std } = options;
  const table = (rows: Size<Dim>, own = std): Spec<[Dim, C], "f32"> =>
    normal([rows, width] as never, own) as Spec<[Dim, C], "f32">;
  return {
    tokens: normal([vocabulary, width] as never, std) as Spec<[V, C], "f32">,
    ...typeof positions === "number" && {
      positions: table(size("P", positions)) as unknown as Spec<["P", C], "f32">,
    },
    ...segments > 0 && {
      segments: table(size("S", segments), segmentStd) as unknown as Spec<["S", C], "f32">,
    },
    ...options.norm && { norm: normSpec(width) },
  };
}

/**
 * Vectors of tokens. Where there is a table of segments and none are given, or where it has one row, as RoBERTa's has, all tokens are
 * of segment 0.
 *
 * Shapes: ids [B, T], segments [B, T] -> [B, T, C].
 *
 * Source: Devlin et al. 2019 (BERT), figure 2; the normalisation as in its code.
 *
 * @throws {RangeError} if the text is longer than the learnt positions.
 */
export function embed<B extends Dim, T extends Dim, V extends Dim, C extends Dim>(
  p: TensorsOf<EmbeddingsSpec<V, C>>,
  ids: Tensor<[B, T], "i32">,
  options: EmbeddingOptions = {},
  segments?: Tensor<[B, T], "i32">,
): Tensor<[B, T, C]> {
  const T = sizesOf(ids)[1]!, width = sizesOf(p.tokens)[1]!;
  let x: AnyTensor = embedding(p.tokens as AnyTensor, ids);
  if (options.positions === "sinusoid") {
    const rows = Array.from({ length: T }, (_, t) => sinusoid(t, width));
    const table = fromArray(Float32Array.from(rows.flat()), [T, width]);
    x = add(x, cast(table as AnyTensor, x.dtype));
  } else if (p.positions) {
    const known = sizesOf(p.positions)[0]!;
    if (T > known) {
      throw new RangeError(`Cannot embed ${T} positions: the model has learnt ${known}`);
    }
    x = add(x, slice(p.positions as AnyTensor, 0, 0, T));
  }
  if (p.segments) {
    const table = p.segments as AnyTensor;
    const named = segments && sizesOf(table)[0]! > 1;
    const own: AnyTensor = named ? embedding(table, segments) : slice(table, 0, 0, 1);
    x = add(x, own);
  }
  return p.norm ? norm(x, p.norm as never, options.epsilon) : x;
}
