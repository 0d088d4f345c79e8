/**
 * Dropout from keys.
 *
 * @module
 */
import {
  type AnyTensor,
  bernoulli,
  type Dim,
  foldIn,
  mul,
  type Shape,
  sizesOf,
  type Tensor,
  vmap,
  where,
} from "../core/mod.ts";

/** One key an example: masks depend on the example, not on the batch that it came in. */
export type Keys<B extends Dim = Dim> = Tensor<[B, 2], "u32">;

/** A source of dropout masks. `site` numbers the place in the model, so that no two places share a mask. */
export interface Dropout<B extends Dim = Dim> {
  /** Share of the elements that are dropped. */
  readonly rate: number;
  /** One key an example. */
  readonly keys: Keys<B>;
}

/** The keys of one site, one an example. */
export function siteKeys<B extends Dim>({ keys }: Dropout<B>, site: number): Keys<B> {
  const one = (k: Tensor<[2], "u32">): Tensor<[2], "u32"> => foldIn(k, site);
  return vmap(one)(keys as AnyTensor) as AnyTensor;
}

/**
 * Each element is kept with probability 1 - rate and then divided by it. Masks come from (key of the example, site, place), so
 * they are the same when recomputed, resumed, accumulated or distributed.
 *
 * Without a source, or at rate 0, x itself. Source: Srivastava et al. 2014, inverted.
 */
export function dropout<B extends Dim, S extends Shape>(
  x: Tensor<[B, ...S]>,
  source: Dropout<B> | undefined,
  site: number,
): Tensor<[B, ...S]> {
  if (!source || source.rate === 0) return x;
  const { rate, keys } = source;
  if (!(rate > 0 && rate < 1)) {
    throw new RangeError(`Cannot drop a share of ${rate}: it must be at least 0 and below 1`);
  }
  const one = (y: AnyTensor, k: Tensor<[2], "u32">): AnyTensor => {
    const kept: AnyTensor = bernoulli(foldIn(k, site), 1 - rate, [...sizesOf(y)]);
    return where(kept, mul(y, 1 / (1 - rate)), 0);
  };
  return vmap(one)(x, keys) as AnyTensor;
}
