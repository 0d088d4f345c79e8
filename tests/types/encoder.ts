/**
 * A 12-layer Pre-LN encoder with a masked-token loss, over any batch B and time T. It is checked, counted and
 * mutated by the tests, and run on shapes alone by `shape_run.ts`; it never sees a number.
 */
import {
  add,
  constant,
  type Dim,
  einsum,
  embedding,
  expandDims,
  gelu,
  init,
  layerNorm,
  linear,
  logSoftmax,
  mean,
  mul,
  neg,
  normal,
  oneHot,
  rearrange,
  repeat,
  softmax,
  sub,
  sum,
  type Tensor,
  type TensorsOf,
  valueAndGrad,
} from "./ops.ts";

const layerSpec = {
  ln1: { gain: constant([768], 1), bias: constant([768], 0) },
  attention: {
    wq: normal([768, 768], 0.02),
    bq: constant([768], 0),
    wk: normal([768, 768], 0.02),
    bk: constant([768], 0),
    wv: normal([768, 768], 0.02),
    bv: constant([768], 0),
    wo: normal([768, 768], 0.02),
    bo: constant([768], 0),
  },
  ln2: { gain: constant([768], 1), bias: constant([768], 0) },
  mlp: {
    w1: normal([768, 3072], 0.02),
    b1: constant([3072], 0),
    w2: normal([3072, 768], 0.02),
    b2: constant([768], 0),
  },
};
const modelSpec = {
  tokens: normal([30522, 768], 0.02),
  positions: normal([512, 768], 0.02),
  layers: repeat(12, layerSpec),
  ln: { gain: constant([768], 1), bias: constant([768], 0) },
  head: { w: normal([768, 768], 0.02), b: constant([768], 0), bias: constant([30522], 0) },
};
type Layer = TensorsOf<typeof layerSpec>;
export type Model = TensorsOf<typeof modelSpec>;
type Hidden<B, T> = Tensor<[B, T, 768]>;
type Mask<B, T> = Tensor<[B, 1, 1, T]>;

export interface Batch<B, T> {
  readonly ids: Tensor<[B, T], "i32">;
  readonly positions: Tensor<[T], "i32">;
  readonly keep: Tensor<[B, T]>;
  readonly labels: Tensor<[B, T], "i32">;
  readonly weight: Tensor<[B, T]>;
}

function attention<B extends Dim, T extends Dim>(
  p: Layer["attention"],
  x: Hidden<B, T>,
  mask: Mask<B, T>,
): Hidden<B, T> {
  const q = rearrange(linear(x, p.wq, p.bq), "b t (h d) -> b h t d", { h: 12 });
  const k = rearrange(linear(x, p.wk, p.bk), "b t (h d) -> b h t d", { h: 12 });
  const v = rearrange(linear(x, p.wv, p.bv), "b t (h d) -> b h t d", { h: 12 });
  const scores = mul(einsum("bhqd,bhkd->bhqk", q, k), 1 / Math.sqrt(64));
  const weights = softmax(add(scores, mask), -1);
  const mixed = rearrange(einsum("bhqk,bhkd->bhqd", weights, v), "b h t d -> b t (h d)");
  return linear(mixed, p.wo, p.bo);
}

function mlp<B extends Dim, T extends Dim>(p: Layer["mlp"], x: Hidden<B, T>): Hidden<B, T> {
  return linear(gelu(linear(x, p.w1, p.b1)), p.w2, p.b2);
}

function block<B extends Dim, T extends Dim>(
  p: Layer,
  x: Hidden<B, T>,
  mask: Mask<B, T>,
): Hidden<B, T> {
  const h = add(x, attention(p.attention, layerNorm(x, p.ln1.gain, p.ln1.bias), mask));
  return add(h, mlp(p.mlp, layerNorm(h, p.ln2.gain, p.ln2.bias)));
}

function encode<B extends Dim, T extends Dim>(p: Model, batch: Batch<B, T>): Hidden<B, T> {
  const embedded = add(embedding(p.tokens, batch.ids), embedding(p.positions, batch.positions));
  const mask = expandDims(expandDims(mul(sub(batch.keep, 1), 1e9), 1), 1);
  const x = p.layers.reduce((x: Hidden<B, T>, layer) => block(layer, x, mask), embedded);
  return layerNorm(x, p.ln.gain, p.ln.bias);
}

export function loss<B extends Dim, T extends Dim>(p: Model, batch: Batch<B, T>): Tensor<[]> {
  const h = gelu(linear(encode(p, batch), p.head.w, p.head.b));
  const logits = add(einsum("btc,vc->btv", h, p.tokens), p.head.bias);
  const logProbs = logSoftmax(logits, -1);
  const nll = neg(sum(mul(logProbs, oneHot(batch.labels, 30522)), -1));
  return mean(mul(nll, batch.weight));
}

export function train(batch: Batch<"B", "T">): Model {
  const params = init(0, modelSpec);
  return valueAndGrad(loss<"B", "T">)(params, batch).grads;
}
