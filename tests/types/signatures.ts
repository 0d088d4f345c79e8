/**
 * The shape-typed signature of every kind of op, without bodies. The ops under `core/ops` and `nn` carry
 * these signatures; the type tests run against this file alone, so that a rule is tested before and
 * apart from any kernel.
 *
 * How to read one: type parameters are the operands' shapes; the argument that can be wrong has type
 * `Arg<Rule, T>`, which is T when the rule holds and the error text when it does not; the result is
 * `Tensor<Ok<Rule>, D>`. A later operand's dtype is `NoInfer<D>`, or two dtypes would unify to a union.
 */
import type { DType, Float, Int, Numeric } from "../../core/dtype.ts";
import type {
  Arg,
  Axes,
  Broadcast,
  BroadcastTo,
  Concat,
  Dim,
  Einsum,
  Expand,
  Expect,
  Gather,
  Lengths,
  Linear,
  Matmul,
  Ok,
  OneDType,
  OneHot,
  OverAxis,
  Pad,
  Permute,
  Rearrange,
  Reduce,
  Reshape,
  Resize,
  ScatterAdd,
  Shape,
  Size,
  Slice,
  Split,
  Squeeze,
  Stack,
  Static,
  Swap,
  TakeAlong,
  Trailing,
  Transpose,
  Where,
} from "../../core/shape/mod.ts";
import type { AnyTensor, DTypesOf, ShapesOf, Tensor } from "./tensor_types.ts";
export type { DType, Float, Int, Numeric } from "../../core/dtype.ts";
export type { Dim, Shape, Size } from "../../core/shape/mod.ts";
export type { AnyTensor, Tensor } from "./tensor_types.ts";

/** The second operand of an elementwise op: a tensor that broadcasts, or a JS number. */
type Operand<S, D> = Tensor<S, NoInfer<D>> | number;
/** Options of a reduction. */
interface Keep<K> {
  readonly keepdims?: K;
}

// creation: NoInfer, or `const x: Tensor<[2], "bf16"> = zeros([2])` would infer a dtype that nobody passed
export declare function zeros<const V extends readonly Dim[], D extends DType = "f32">(
  shape: Lengths<V>,
  dtype?: D,
): Tensor<[...V], NoInfer<D>>;
export declare function full<const V extends readonly Dim[], D extends DType = "f32">(
  shape: Lengths<V>,
  value: number,
  dtype?: D,
): Tensor<[...V], NoInfer<D>>;
export declare function fromArray<const V extends readonly Dim[], D extends DType = "f32">(
  data: ArrayLike<number>,
  shape: Lengths<V>,
  dtype?: D,
): Tensor<[...V], NoInfer<D>>;
/** A run-time number as the size of a named axis. */
export declare function size<const N extends string>(name: N, n: number): Size<N>;

// elementwise
export declare function add<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"add", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"add", A, B>>, D>;
export declare function sub<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"sub", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"sub", A, B>>, D>;
export declare function mul<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"mul", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"mul", A, B>>, D>;
export declare function div<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"div", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"div", A, B>>, D>;
export declare function less<A extends Shape, D extends Numeric, B extends Shape = A>(
  a: Tensor<A, D>,
  b: Arg<Broadcast<"less", A, B>, Operand<B, D>>,
): Tensor<Ok<Broadcast<"less", A, B>>, "bool">;
export declare function where<C extends Shape, A extends Shape, B extends Shape, D extends DType>(
  condition: Tensor<C, "bool">,
  a: Tensor<A, D>,
  b: Arg<Where<C, A, B>, Tensor<B, NoInfer<D>>>,
): Tensor<Ok<Where<C, A, B>>, D>;
export declare function exp<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D>;
export declare function gelu<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D>;
export declare function neg<S extends Shape, D extends Numeric>(x: Tensor<S, D>): Tensor<S, D>;
export declare function rsqrt<S extends Shape, D extends Float>(x: Tensor<S, D>): Tensor<S, D>;
export declare function cast<S extends Shape, D0 extends DType, D extends DType>(
  x: Tensor<S, D0>,
  dtype: D,
): Tensor<S, D>;

// linear algebra
export declare function matmul<A extends Shape, B extends Shape, D extends Float>(
  a: Tensor<A, D>,
  b: Arg<Matmul<A, B>, Tensor<B, NoInfer<D>>>,
): Tensor<Ok<Matmul<A, B>>, D>;
export declare function einsum<const E extends string, const T extends readonly AnyTensor[]>(
  equation: Arg<OneDType<"einsum", DTypesOf<T>, Einsum<E, ShapesOf<T>>>, E>,
  ...operands: T
): Tensor<Ok<Einsum<E, ShapesOf<T>>>, T[0]["dtype"]>;

// layout
export declare function reshape<S extends Shape, D extends DType, const V extends readonly Dim[]>(
  x: Tensor<S, D>,
  shape: Arg<Reshape<S, [...V]>, Lengths<V>>,
): Tensor<Ok<Reshape<S, [...V]>>, D>;
export declare function broadcastTo<
  S extends Shape,
  D extends DType,
  const V extends readonly Dim[],
>(
  x: Tensor<S, D>,
  shape: Arg<BroadcastTo<S, [...V]>, Lengths<V>>,
): Tensor<Ok<BroadcastTo<S, [...V]>>, D>;
export declare function permute<
  S extends Shape,
  D extends DType,
  const P extends readonly number[],
>(x: Tensor<S, D>, axes: Arg<Permute<S, P>, P>): Tensor<Ok<Permute<S, P>>, D>;
export declare function swapaxes<
  S extends Shape,
  D extends DType,
  const A extends number,
  const B extends number,
>(
  x: Tensor<S, D>,
  a: Arg<OverAxis<"swapaxes", S, A>, A>,
  b: Arg<Swap<S, A, B>, B>,
): Tensor<Ok<Swap<S, A, B>>, D>;
/** The last two axes swapped. */
export declare function transpose<S extends Shape, D extends DType>(
  x: Arg<Transpose<S>, Tensor<S, D>>,
): Tensor<Ok<Transpose<S>>, D>;
export declare function expandDims<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Expand<S, A>, A>,
): Tensor<Ok<Expand<S, A>>, D>;
export declare function squeeze<S extends Shape, D extends DType, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Squeeze<S, A>, A>,
): Tensor<Ok<Squeeze<S, A>>, D>;
export declare function rearrange<
  S extends Shape,
  D extends DType,
  const P extends string,
  const G extends Readonly<Record<string, number>> = Record<never, never>,
>(
  x: Tensor<S, D>,
  pattern: Arg<Rearrange<P, S, G>, P>,
  sizes?: G,
): Tensor<Ok<Rearrange<P, S, G>>, D>;

// reductions and scans
export declare function sum<
  S extends Shape,
  D extends Numeric,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"sum", S, A, K>, A>,
  options?: Keep<K>,
): Tensor<Ok<Reduce<"sum", S, A, K>>, D>;
export declare function mean<
  S extends Shape,
  D extends Float,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"mean", S, A, K>, A>,
  options?: Keep<K>,
): Tensor<Ok<Reduce<"mean", S, A, K>>, D>;
export declare function max<
  S extends Shape,
  D extends Numeric,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"max", S, A, K>, A>,
  options?: Keep<K>,
): Tensor<Ok<Reduce<"max", S, A, K>>, D>;
export declare function argmax<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<Reduce<"argmax", S, A>, A>,
): Tensor<Ok<Reduce<"argmax", S, A>>, "i32">;
export declare function softmax<S extends Shape, D extends Float, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"softmax", S, A>, A>,
): Tensor<S, D>;
export declare function logSoftmax<S extends Shape, D extends Float, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"logSoftmax", S, A>, A>,
): Tensor<S, D>;
export declare function cumsum<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"cumsum", S, A>, A>,
): Tensor<S, D>;
export declare function sort<S extends Shape, D extends Numeric, const A extends number>(
  x: Tensor<S, D>,
  axis: Arg<OverAxis<"sort", S, A>, A>,
): Tensor<S, D>;
/** The k greatest along an axis, greatest first, and where they stood. */
export declare function topK<
  S extends Shape,
  D extends Numeric,
  const N extends number,
  const A extends number,
>(
  x: Tensor<S, D>,
  k: Arg<Resize<"topK", S, A, N>, N>,
  axis: A,
): {
  readonly values: Tensor<Ok<Resize<"topK", S, A, N>>, D>;
  readonly indices: Tensor<Ok<Resize<"topK", S, A, N>>, "i32">;
};

// joining and cutting
export declare function concat<const T extends readonly AnyTensor[], const A extends number>(
  tensors: Arg<OneDType<"concat", DTypesOf<T>, Concat<ShapesOf<T>, A>>, T>,
  axis: A,
): Tensor<Ok<Concat<ShapesOf<T>, A>>, T[0]["dtype"]>;
export declare function stack<const T extends readonly AnyTensor[], const A extends number>(
  tensors: Arg<OneDType<"stack", DTypesOf<T>, Stack<ShapesOf<T>, A>>, T>,
  axis: A,
): Tensor<Ok<Stack<ShapesOf<T>, A>>, T[0]["dtype"]>;
/** One tensor a shape. */
export type Parts<L, D> = { readonly [K in keyof L]: Tensor<L[K], D> };
export declare function split<
  S extends Shape,
  D extends DType,
  const P extends readonly number[],
  const A extends number,
>(
  x: Tensor<S, D>,
  sizes: Arg<Split<S, P, A>, P>,
  axis: A,
): Parts<Ok<Split<S, P, A>>, D>;
export declare function slice<
  S extends Shape,
  D extends DType,
  const A extends number,
  const F extends number,
  const T extends number,
>(
  x: Tensor<S, D>,
  axis: Arg<Slice<S, A, F, T>, A>,
  start: F,
  end: T,
): Tensor<Ok<Slice<S, A, F, T>>, D>;
/** One [before, after] pair an axis. */
export declare function pad<
  S extends Shape,
  D extends DType,
  const P extends readonly (readonly [number, number])[],
>(x: Tensor<S, D>, widths: Arg<Pad<S, P>, P>, value?: number): Tensor<Ok<Pad<S, P>>, D>;
/** A part of N along the axis, from a start that is known only on the device. */
export declare function dynamicSlice<
  S extends Shape,
  D extends DType,
  const A extends number,
  const N extends number,
>(
  x: Tensor<S, D>,
  start: Tensor<[], "i32">,
  size: Arg<Resize<"dynamicSlice", S, A, N>, N>,
  axis: A,
): Tensor<Ok<Resize<"dynamicSlice", S, A, N>>, D>;

// indexing
export declare function gather<
  S extends Shape,
  D extends DType,
  I extends Shape,
  E extends Int,
  const A extends number,
>(
  x: Tensor<S, D>,
  ids: Tensor<I, E>,
  axis: Arg<Gather<"gather", S, I, A>, A>,
): Tensor<Ok<Gather<"gather", S, I, A>>, D>;
export declare function embedding<
  V extends Dim,
  C extends Dim,
  D extends Float,
  I extends Shape,
  E extends Int,
>(table: Tensor<[V, C], D>, ids: Tensor<I, E>): Tensor<[...I, C], D>;
export declare function oneHot<I extends Shape, E extends Int, const N extends number>(
  ids: Tensor<I, E>,
  size: N,
): Tensor<Ok<OneHot<I, N>>>;
/** x with the updates added at the ids along the axis: the transpose of gather. */
export declare function scatterAdd<
  S extends Shape,
  D extends Numeric,
  I extends Shape,
  E extends Int,
  U extends Shape,
  const A extends number,
>(
  x: Tensor<S, D>,
  ids: Tensor<I, E>,
  updates: Arg<ScatterAdd<S, I, U, A>, Tensor<U, NoInfer<D>>>,
  axis: A,
): Tensor<S, D>;
export declare function takeAlongAxis<
  S extends Shape,
  D extends DType,
  I extends Shape,
  E extends Int,
  const A extends number,
>(
  x: Tensor<S, D>,
  ids: Arg<TakeAlong<S, I, A>, Tensor<I, E>>,
  axis: A,
): Tensor<Ok<TakeAlong<S, I, A>>, D>;

// layers
export declare function linear<
  X extends Shape,
  W extends Shape,
  B extends Shape,
  D extends Float,
>(
  x: Tensor<X, D>,
  w: Arg<Matmul<X, W, "linear">, Tensor<W, NoInfer<D>>>,
  b: Arg<Linear<X, W, B>, Tensor<B, NoInfer<D>>>,
): Tensor<Ok<Linear<X, W, B>>, D>;
export declare function layerNorm<
  X extends Shape,
  G extends Shape,
  B extends Shape,
  D extends Float,
>(
  x: Tensor<X, D>,
  gain: Arg<Trailing<"layerNorm", X, G>, Tensor<G, NoInfer<D>>>,
  bias: Arg<Trailing<"layerNorm", X, B>, Tensor<B, NoInfer<D>>>,
): Tensor<X, D>;

// unknown sizes
/** x, checked at run time to have this shape; equal names must stand for equal sizes. */
export declare function expectShape<S extends Shape, D extends DType, const T extends Shape>(
  x: Tensor<S, D>,
  shape: Arg<Expect<S, T>, readonly [...T]>,
): Tensor<T, D>;

// gradients
export declare function grad<P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor<[]>,
): (params: P, ...rest: A) => P;
export declare function valueAndGrad<P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor<[]>,
): (params: P, ...rest: A) => { readonly value: Tensor<[]>; readonly grads: P };

// parameters
declare const specTag: unique symbol;
/** A parameter before it exists: shape, dtype and how it starts. */
export interface Spec<in out S, in out D> {
  readonly [specTag]: readonly [S, D];
}
/** The same nested record with every Spec replaced by its tensor. */
export type TensorsOf<T> = T extends Spec<infer S, infer D> ? Tensor<S, D>
  : { readonly [K in keyof T]: TensorsOf<T[K]> };
export declare function normal<const V extends readonly Dim[], D extends Float = "f32">(
  shape: Arg<Static<[...V]>, Lengths<V>>,
  std: number,
  dtype?: D,
): Spec<[...V], NoInfer<D>>;
export declare function constant<const V extends readonly Dim[], D extends Float = "f32">(
  shape: Arg<Static<[...V]>, Lengths<V>>,
  value: number,
  dtype?: D,
): Spec<[...V], NoInfer<D>>;
export declare function repeat<T>(n: number, spec: T): readonly T[];
export declare function init<T>(seed: number, specs: T): TensorsOf<T>;
