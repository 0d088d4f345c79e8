/**
 * What the position terms of all layers share in one pass over texts of one length: computed once, handed to each layer.
 *
 * @module
 */
import {
  add,
  type AnyTensor,
  cast,
  type Dim,
  einsum,
  equal,
  expandDims,
  fromArray,
  layerNorm,
  mul,
  type RelativeAttentionOptions,
  reshape,
  sizesOf,
  slice,
  sub,
  type Tensor,
  transpose,
} from "../../core/mod.ts";
import { bucketCount, offsetRows, rowSinusoids } from "./index.ts";
import type { SharedParams } from "./params.ts";
import { type Scheme, termsOf, usesBuckets, usesSharedRows } from "./scheme.ts";

/** Inputs of attention that are not the text itself. */
export interface Context<B extends Dim, T extends Dim> {
  /** 1 where a position holds a token, 0 where it is padding. */
  readonly keep?: Tensor<[B, T], "f32">;
  /** Segment numbers, for relative segments. */
  readonly segments?: Tensor<[B, T], "i32">;
}

/** The shared part of the scores. */
export interface Positions {
  /** The scheme that they belong to. */
  readonly scheme: Scheme;
  /** What dot products are multiplied with. */
  readonly scale: number;
  /** Which row every offset has. */
  readonly offsets?: NonNullable<RelativeAttentionOptions["rows"]>;
  /** [H, R]: one number a head and row. */
  readonly bias?: AnyTensor;
  /** [B, T]: 1 where a position holds a token. */
  readonly keep?: AnyTensor;
  /** [R, C]: rows for projected terms. */
  readonly rows?: AnyTensor;
  /** [R, K]: sinusoid rows for direct terms. */
  readonly direct?: AnyTensor;
  /** Each broadcasts to [B, H, T, T]: what else is added to every layer's scores. */
  readonly added: readonly AnyTensor[];
  /** [B, 1, T, T]: 1 where two positions are in the same segment. */
  readonly same?: AnyTensor;
}

interface Absolute {
  readonly table: AnyTensor;
  readonly norm: { readonly gain: AnyTensor; readonly bias: AnyTensor };
  readonly wq: AnyTensor;
  readonly wk: AnyTensor;
}

/** Prepares the position terms for texts of length T. */
export function positions<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
>(
  scheme: Scheme,
  shared: SharedParams<C, H, K>,
  length: number,
  sizes: { readonly width: number; readonly headWidth: number },
  context: Context<B, T>,
): Positions {
  const added: AnyTensor[] = [];
  const dots = scheme.scale === "terms" ? termsOf(scheme) : 1;
  const scale = scheme.scale === "one" ? 1 : 1 / Math.sqrt(sizes.headWidth * dots);
  const offsets = usesBuckets(scheme) && {
    index: offsetRows(scheme, length),
    count: bucketCount(scheme, length),
    ownCls: scheme.ownCls,
  };
  const { bias, rows, segmentBias } = shared as Readonly<Record<string, AnyTensor | undefined>>;
  const same = context.segments && sameSegment(context.segments);
  if (shared.absolute) added.push(correlation(scheme, shared.absolute, length, scale));
  if (segmentBias && same) added.push(ofSegments(cast(segmentBias, "f32"), same));
  const fixed = scheme.rows.startsWith("sinusoid"), projected = usesSharedRows(scheme);
  const wide = rows ?? (fixed && projected ? rowSinusoids(scheme, sizes.width, length) : undefined);
  const narrow = fixed && [scheme.keySide, scheme.valueSide].includes("direct");
  return {
    scheme,
    scale,
    added,
    ...offsets && { offsets },
    ...bias && { bias: transpose(bias) as AnyTensor },
    ...context.keep && { keep: context.keep as AnyTensor },
    ...wide && { rows: wide },
    ...narrow && { direct: rowSinusoids(scheme, sizes.headWidth, length) },
    ...same && { same },
  };
}

/** [B, 1, T, T]: 1 where two positions are in the same segment. */
function sameSegment(segments: AnyTensor): AnyTensor {
  const equals = equal(expandDims(segments, 2), expandDims(segments, 1));
  return expandDims(cast(equals, "f32"), 1);
}

/** g[same, h], from g [2, H]: [B, H, T, T]. */
function ofSegments(g: AnyTensor, same: AnyTensor): AnyTensor {
  const heads = sizesOf(g)[1]!;
  const [other, equals] = [0, 1].map((s): AnyTensor =>
    reshape(slice(g, 0, s, s + 1), [1, heads, 1, 1])
  );
  return add(other!, mul(same, sub(equals!, other!)));
}

/** (p_i U_Q) · (p_j U_K), scaled: [H, T, T]; 0 for [CLS], which has buckets of its own. */
function correlation(scheme: Scheme, p: Absolute, length: number, scale: number): AnyTensor {
  if (length > scheme.absolute) {
    throw new RangeError(
      `Cannot attend over ${length} positions: this scheme has absolute positions for ${scheme.absolute}`,
    );
  }
  const table = layerNorm(slice(p.table, 0, 0, length), p.norm.gain, p.norm.bias);
  const [q, k] = [p.wq, p.wk].map((w): AnyTensor => einsum("tc,chk->htk", table, w));
  const products: AnyTensor = einsum("hqk,hjk->hqj", q!, k!);
  const scores = mul(cast(products, "f32"), scale);
  if (!scheme.ownCls) return scores;
  const text = Float32Array.from(
    { length: length * length },
    (_, n) => n < length || n % length === 0 ? 0 : 1,
  );
  return mul(scores, fromArray(text, [length, length]));
}
