/**
 * One layer of the encoder: attention and feed-forward, each with a residual and a normalisation before (Pre-LN) or
 * after (Post-LN) it.
 *
 * @module
 */
import { add, type Dim, type Size, type Tensor } from "../core/mod.ts";
import { type Attended, attention } from "./attention/attention.ts";
import {
  type AttentionSizes,
  type AttentionSpec,
  attentionSpec,
  type LayerStart,
} from "./attention/params.ts";
import type { Positions } from "./attention/positions.ts";
import type { Scheme } from "./attention/scheme.ts";
import { type Dropout, dropout } from "./dropout.ts";
import {
  type Activation,
  feedForward,
  type FeedForwardSpec,
  feedForwardSpec,
} from "./feed_forward.ts";
import { norm, type NormSpec, normSpec } from "./layer_norm.ts";
import type { TensorsOf } from "./spec.ts";

/** Where the normalisation stands. Source: Xiong et al. 2020. */
export type NormPlace = "pre" | "post";

/** Parameters of a layer. */
export interface BlockSpec<C, H, K, F> {
  /** Attention. */
  readonly attention: AttentionSpec<C, H, K>;
  /** Normalisation of the attention's input (Pre-LN) or result (Post-LN). */
  readonly norm1: NormSpec<C>;
  /** Feed-forward network. */
  readonly feedForward: FeedForwardSpec<C, F>;
  /** Normalisation of the network's input or result. */
  readonly norm2: NormSpec<C>;
}

/** Specs of a layer. */
export function blockSpec<C extends Dim, H extends Dim, K extends Dim, F extends Dim>(
  sizes: AttentionSizes<C, H, K> & { readonly hidden: Size<F> },
  scheme: Scheme,
  start: LayerStart = {},
): BlockSpec<C, H, K, F> {
  const { std = 0.02, outStd = std } = start;
  return {
    attention: attentionSpec(sizes, scheme, start),
    norm1: normSpec(sizes.width),
    feedForward: feedForwardSpec(sizes.width, sizes.hidden, std, outStd),
    norm2: normSpec(sizes.width),
  };
}

/** How a layer is put together. */
export interface BlockOptions<B extends Dim> {
  /** Where the normalisations stand. */
  readonly norm: NormPlace;
  /** Between up and down. */
  readonly activation: Activation;
  /** Of the normalisations; 1e-5. */
  readonly epsilon?: number;
  /** Masks; none without. */
  readonly dropout?: Dropout<B>;
  /** First of the four dropout sites of this layer. */
  readonly site: number;
}

/** What a layer gives, and what its attention saw. */
export interface BlockResult<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
> extends Attended<B, T, C, H, K> {}

/**
 * Pre-LN: x ← x + F(LN(x)). Post-LN: x ← LN(x + F(x)). F: attention, then feed-forward. Shapes: [B, T, C] -> out [B, T, C].
 */
export function block<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
  F extends Dim,
>(
  p: TensorsOf<BlockSpec<C, H, K, F>>,
  x: Tensor<[B, T, C]>,
  positions: Positions,
  options: BlockOptions<B>,
): BlockResult<B, T, C, H, K> {
  const { dropout: drop, site, epsilon } = options, pre = options.norm === "pre";
  const first = pre ? norm(x, p.norm1, epsilon) : x;
  const attended = attention(p.attention, first, positions, drop, site);
  const mixed = add(x, dropout(attended.out, drop, site + 1) as never) as Tensor<[B, T, C]>;
  const middle = pre ? mixed : norm(mixed, p.norm1, epsilon);
  const second = pre ? norm(middle, p.norm2, epsilon) : middle;
  const fed = feedForward(p.feedForward, second, options.activation);
  const sum = add(middle, dropout(fed, drop, site + 2) as never) as Tensor<[B, T, C]>;
  return { ...attended, out: pre ? sum : norm(sum, p.norm2, epsilon) };
}
