/**
 * A Transformer encoder: embeddings, layers, and under Pre-LN one normalisation at the end.
 *
 * @module
 */
import {
  type AnyTensor,
  checkpoint,
  type Dim,
  type Size,
  sizesOf,
  type Tensor,
} from "../core/mod.ts";
import { type AttentionSizes, type SharedSpec, sharedSpec } from "./attention/params.ts";
import { type Context, type Positions, positions } from "./attention/positions.ts";
import { type Scheme, schemes } from "./attention/scheme.ts";
import { block, type BlockResult, type BlockSpec, blockSpec, type NormPlace } from "./block.ts";
import { type Dropout, dropout } from "./dropout.ts";
import { embed, type EmbeddingOptions, type EmbeddingsSpec, embeddingsSpec } from "./embeddings.ts";
import type { Activation } from "./feed_forward.ts";
import { norm, type NormSpec, normSpec } from "./layer_norm.ts";
import { repeat, type TensorsOf } from "./spec.ts";

/** Sizes: vocabulary V, width C, heads H of width K, hidden width F. Literals, or names of run-time sizes. */
export interface EncoderSizes<
  V extends Dim = "V",
  C extends Dim = "C",
  H extends Dim = "H",
  K extends Dim = "K",
  F extends Dim = "F",
> extends AttentionSizes<C, H, K> {
  /** Number of tokens. */
  readonly vocabulary: Size<V>;
  /** Width inside the feed-forward networks. */
  readonly hidden: Size<F>;
  /** Number of layers. */
  readonly layers: number;
}

/** How an encoder is put together. Changing one of these needs other parameters or gives another function. */
export interface EncoderOptions {
  /** Position scheme; `motian` by default. */
  readonly scheme?: Scheme;
  /** `pre` by default. */
  readonly norm?: NormPlace;
  /** `gelu` by default. */
  readonly activation?: Activation;
  /** What is added to the token rows. */
  readonly embeddings?: EmbeddingOptions;
  /** Of all normalisations; 1e-5. */
  readonly epsilon?: number;
  /** Standard deviation of the initial weights. Under Pre-LN projections into the residual start at std / √(2 layers). */
  readonly std?: number;
  /** See `LayerStart`. */
  readonly keysLikeQueries?: boolean;
}

/** Parameters of an encoder. */
export interface EncoderSpec<V, C, H, K, F> {
  /** Tables of tokens, and in BERT's layout of positions and segments. */
  readonly embeddings: EmbeddingsSpec<V, C>;
  /** What the layers share for positions. */
  readonly shared: SharedSpec<C, H, K>;
  /** The layers. */
  readonly layers: readonly BlockSpec<C, H, K, F>[];
  /** After the last layer, under Pre-LN. */
  readonly norm?: NormSpec<C>;
}

/** An encoder's tensors. */
export type EncoderParams<V, C, H, K, F> = TensorsOf<EncoderSpec<V, C, H, K, F>>;

/** Specs of an encoder. */
export function encoderSpec<
  V extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
  F extends Dim,
>(sizes: EncoderSizes<V, C, H, K, F>, options: EncoderOptions = {}): EncoderSpec<V, C, H, K, F> {
  const { scheme = schemes.motian, norm = "pre", std = 0.02, keysLikeQueries = false } = options;
  // GPT-2's, for a sum that only grows. Post-LN starts as BERT does: what is normalised after every addition does not grow.
  const outStd = norm === "pre" ? std / Math.sqrt(2 * sizes.layers) : std;
  return {
    embeddings: embeddingsSpec(sizes.vocabulary, sizes.width, options.embeddings, std),
    shared: sharedSpec(sizes, scheme, std),
    layers: repeat(sizes.layers, blockSpec(sizes, scheme, { std, outStd, keysLikeQueries })),
    ...norm === "pre" && { norm: normSpec(sizes.width) },
  };
}

/** What an encoder reads. */
export interface EncoderInputs<B extends Dim, T extends Dim> extends Context<B, T> {
  /** Token ids. */
  readonly ids: Tensor<[B, T], "i32">;
}

/** How one pass runs. */
export interface PassOptions<B extends Dim> {
  /** Masks; none without. */
  readonly dropout?: Dropout<B>;
  /** Keep only the inputs of the layers for the backward pass, and compute their insides again. */
  readonly recompute?: boolean;
}

/** What an encoder gives: the last hidden state, and those of all layers with their q, k and v. */
export interface Encoded<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
> {
  /** The last hidden state. */
  readonly hidden: Tensor<[B, T, C]>;
  /** The embeddings, then the result of every layer (before the last normalisation). */
  readonly states: readonly Tensor<[B, T, C]>[];
  /** What every layer gave. */
  readonly layers: readonly BlockResult<B, T, C, H, K>[];
}

const SITES_PER_LAYER = 4;

/**
 * Encodes texts. Parts of the result that nobody uses are never computed inside `jit`.
 *
 * Shapes: ids [B, T] -> hidden [B, T, C].
 */
export function encode<
  B extends Dim,
  T extends Dim,
  V extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
  F extends Dim,
>(
  p: EncoderParams<V, C, H, K, F>,
  inputs: EncoderInputs<B, T>,
  options: EncoderOptions = {},
  pass: PassOptions<B> = {},
): Encoded<B, T, C, H, K> {
  const { scheme = schemes.motian, norm: place = "pre", activation = "gelu", epsilon } = options;
  const own = { ...epsilon !== undefined && { epsilon }, ...options.embeddings };
  const first = embed(p.embeddings as never, inputs.ids, own, inputs.segments);
  let x = dropout(first as never, pass.dropout, 0) as Tensor<[B, T, C]>;
  const T = sizesOf(inputs.ids)[1]!;
  const wq = p.layers[0]?.attention.wq as AnyTensor | undefined;
  const [width = 0, , headWidth = 1] = wq ? sizesOf(wq) : [];
  const shared = positions(scheme, p.shared as never, T, { width, headWidth }, inputs);
  const states = [x], layers: BlockResult<B, T, C, H, K>[] = [];
  p.layers.forEach((layer, i) => {
    const run = (
      own: typeof layer,
      y: Tensor<[B, T, C]>,
      at: Positions,
    ): BlockResult<B, T, C, H, K> =>
      block<B, T, C, H, K, F>(own as never, y, at, {
        norm: place,
        activation,
        ...epsilon !== undefined && { epsilon },
        ...pass.dropout && { dropout: pass.dropout },
        site: 1 + i * SITES_PER_LAYER,
      });
    layers.push((pass.recompute ? checkpoint(run) : run)(layer, x, shared));
    x = layers.at(-1)!.out;
    states.push(x);
  });
  return { hidden: p.norm ? norm(x, p.norm as never, epsilon) : x, states, layers };
}
