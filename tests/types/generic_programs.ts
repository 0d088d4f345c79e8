/**
 * Bodies over type parameters, as a library of layers has them: every size is a rigid name. All of them check;
 * `generic_test.ts` asks the compiler, and adds wrong ones.
 */
import {
  add,
  argmax,
  broadcastTo,
  concat,
  cumsum,
  type Dim,
  einsum,
  embedding,
  expandDims,
  gather,
  gelu,
  layerNorm,
  linear,
  matmul,
  mean,
  mul,
  normal,
  oneHot,
  permute,
  rearrange,
  reshape,
  rsqrt,
  scatterAdd,
  type Shape,
  slice,
  softmax,
  type Spec,
  split,
  squeeze,
  stack,
  sub,
  sum,
  takeAlongAxis,
  type Tensor,
  topK,
  transpose,
  where,
  zeros,
} from "./ops.ts";

export function attention<
  B extends Dim,
  T extends Dim,
  C extends Dim,
  H extends Dim,
  K extends Dim,
>(
  x: Tensor<[B, T, C]>,
  wq: Tensor<[C, H, K]>,
  wo: Tensor<[H, K, C]>,
  mask: Tensor<[B, 1, 1, T]>,
): Tensor<[B, T, C]> {
  const q = einsum("btc,chk->bhtk", x, wq);
  const scores = mul(einsum("bhqd,bhkd->bhqk", q, q), 0.125);
  const mixed = einsum("bhqk,bhkd->bhqd", softmax(add(scores, mask), -1), q);
  return add(x, einsum("bhtd,hdc->btc", mixed, wo));
}

export function normalise<B extends Dim, T extends Dim, C extends Dim>(
  x: Tensor<[B, T, C]>,
  gain: Tensor<[C]>,
  bias: Tensor<[C]>,
): Tensor<[B, T, C]> {
  const d = sub(x, mean(x, -1, { keepdims: true }));
  const variance = mean(mul(d, d), -1, { keepdims: true });
  return add(mul(mul(d, rsqrt(variance)), gain), bias);
}

export function mlp<B extends Dim, T extends Dim, C extends Dim, H extends Dim>(
  x: Tensor<[B, T, C]>,
  w1: Tensor<[C, H]>,
  b1: Tensor<[H]>,
  w2: Tensor<[H, C]>,
  b2: Tensor<[C]>,
): Tensor<[B, T, C]> {
  return add(matmul(gelu(matmul(x, w1)), w2), linear(gelu(linear(x, w1, b1)), w2, b2));
}

/** The rank is a parameter too. */
export function anyRank<S extends Shape>(x: Tensor<S>, y: Tensor<S>): Tensor<S> {
  return add(mul(x, 2), mul(x, y));
}

export function layout<B extends Dim, T extends Dim, C extends Dim>(
  x: Tensor<[B, T, C]>,
): readonly [
  Tensor<[B, C, T]>,
  Tensor<[C, B, T]>,
  Tensor<[B, T, 1, C]>,
  Tensor<[B, T, C]>,
  Tensor<[T]>,
  Tensor<[B, T], "i32">,
  Tensor<[B, T, C]>,
  Tensor<[B, T, 5, C]>,
] {
  return [
    transpose(x),
    permute(x, [2, 0, 1]),
    expandDims(x, 2),
    squeeze(expandDims(x, 2), 2),
    sum(x, [0, -1]),
    argmax(x, -1),
    cumsum(x, 1),
    broadcastTo(expandDims(x, 2), [x.shape[0], x.shape[1], 5, x.shape[2]]),
  ];
}

export function cut<B extends Dim, C extends Dim>(x: Tensor<[B, C, 6]>): readonly [
  Tensor<[B, C, 12]>,
  readonly [Tensor<[B, C, 2]>, Tensor<[B, C, 4]>],
  Tensor<[B, 2, C, 6]>,
  Tensor<[B, 1, 6]>,
  Tensor<[B, C, 3]>,
] {
  return [
    concat([x, x], -1),
    split(x, [2, 4], 2),
    stack([x, x], 1),
    slice(x, 1, 0, 1),
    topK(x, 3, 2).values,
  ];
}

export function index<B extends Dim, T extends Dim, C extends Dim, M extends Dim>(
  x: Tensor<[B, T, C]>,
  at: Tensor<[M], "i32">,
  one: Tensor<[B, T, 1], "i32">,
  table: Tensor<[30522, C]>,
  ids: Tensor<[B, T], "i32">,
): readonly [
  Tensor<[B, M, C]>,
  Tensor<[B, T, C]>,
  Tensor<[B, T, 1]>,
  Tensor<[B, T, C]>,
  Tensor<[B, T, 7]>,
] {
  const rows = gather(x, at, 1);
  return [
    rows,
    scatterAdd(x, at, rows, 1),
    takeAlongAxis(x, one, -1),
    embedding(table, ids),
    oneHot(ids, 7),
  ];
}

export function heads<B extends Dim, T extends Dim>(x: Tensor<[B, T, 768]>): readonly [
  Tensor<[B, 12, T, 64]>,
  Tensor<[B, T, 768]>,
  Tensor<[B, T, 12, 64]>,
] {
  const split = rearrange(x, "b t (h d) -> b h t d", { h: 12 });
  return [
    split,
    rearrange(split, "b h t d -> b t (h d)"),
    reshape(x, [x.shape[0], x.shape[1], 12, -1]),
  ];
}

export function masked<B extends Dim, T extends Dim>(
  keep: Tensor<[B, T], "bool">,
  x: Tensor<[B, T]>,
): Tensor<[B, T]> {
  return where(keep, x, zeros([]));
}

export function fresh<N extends number, C extends Dim>(
  n: N,
  x: Tensor<[C]>,
): readonly [Spec<[N, 4], "f32">, Tensor<[N, C]>, Tensor<[N, C]>] {
  const made = zeros([n, x.shape[0]]);
  return [normal([n, 4], 0.02), made, layerNorm(made, x, x)];
}
