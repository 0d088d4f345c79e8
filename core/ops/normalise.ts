/** Statistics of the second order, and what is normalised by them. */
import type { Float } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { settle } from "../execute.ts";
import { cast, compute, constant, mul, reduce, reshape } from "../graph/build.ts";
import { makeNode, type Node } from "../graph/node.ts";
import {
  type Arg,
  type Axes,
  type Ok,
  type Reduce,
  type Shape,
  type Trailing,
  trailingShape,
  unwrap,
} from "../shape/mod.ts";
import { type AnyTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { floats, type Law } from "./law.ts";
import { inF32, meanNode, reduced, type ReduceOptions, reductionLaw } from "./reduce.ts";

const special = [NaN, Infinity, 0, -0, 1e-40];

export const varianceLaw: Law = reductionLaw("variance", variance, {
  dtypes: ["f32", "f32", "f16", "bf16"],
  special,
});

export const layerNormLaw: Law = {
  law: "layerNorm",
  draw: (d) => {
    const shape = [...d.shape(0, 2), d.int(2, 6)], dtype = d.oneOf(["f32", "f32", "f16"] as const);
    const last = shape.slice(d.int(Math.max(0, shape.length - 2), shape.length - 1));
    const inputs = [floats(shape, [-3, 3], special), floats(last, [0.5, 2]), floats(last)];
    return {
      inputs: inputs.map((input) => ({ ...input, dtype })),
      call: (x, gain, bias) => layerNorm(x!, gain!, bias!, { eps: 1e-3 }),
      smooth: dtype === "f32",
    };
  },
};

/** x less its mean over the axes, in f32. */
function centred(x: Node, axes: readonly number[]): Node {
  return compute(X.sub, [x, meanNode(x, axes)]);
}

/**
 * Variance over an axis, several, or all: the mean of (x - mean x)², in two passes.
 *
 * Shapes: [...S] -> S without the axes, or with 1 in their place under `keepdims`. The sum is divided by the number of
 * elements. f16 and bf16 are computed in f32 and rounded once. A variance of nothing is NaN.
 *
 * @throws {TypeError} if an axis is outside the shape or given twice.
 *
 * @example
 * ```ts
 * import { read, tensor, variance } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...await read(variance(tensor([[1, 3], [5, 5]]), 1))], [1, 0]);
 * ```
 */
export function variance<
  S extends Shape,
  D extends Float,
  const A extends Axes = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D>,
  axis?: Arg<Reduce<"variance", S, A, K>, A>,
  options: ReduceOptions<K> = {},
): Tensor<Ok<Reduce<"variance", S, A, K>>, D> {
  return reduced("variance", x, axis as Axes, options, (n, axes) =>
    inF32(n, (y) => {
      const c = centred(y, axes);
      return meanNode(compute(X.mul, [c, c]), axes);
    }));
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance; 1e-5 by default. BERT has 1e-12. */
  readonly eps?: number;
}

/**
 * Layer normalisation over the axes of the gain: gain · (x - mean x) / √(variance x + eps) + bias.
 *
 * Shapes: [...S], [...G], [...B] -> [...S]; G and B are the last axes of S. f16 and bf16 are computed in f32 and rounded
 * once.
 *
 * @throws {TypeError} if the shapes of gain or bias are not the last axes of x, or dtypes differ.
 *
 * Source: Ba, Kiros and Hinton, Layer Normalization, 2016
 *
 * @example
 * ```ts
 * import { layerNorm, ones, read, tensor, zeros } from "@motian/motian";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const y = await read(layerNorm(tensor([[1, 3]]), ones([2]), zeros([2])));
 * assertAlmostEquals(y[0]!, -1, 1e-4);
 * assertAlmostEquals(y[1]!, 1, 1e-4);
 * ```
 */
export function layerNorm<
  S extends Shape,
  G extends Shape,
  B extends Shape,
  D extends Float,
>(
  x: Tensor<S, D>,
  gain: Arg<Trailing<"layerNorm", S, G>, Tensor<G, NoInfer<D>>>,
  bias: Arg<Trailing<"layerNorm", S, B>, Tensor<B, NoInfer<D>>>,
  options: LayerNormOptions = {},
): Tensor<S, D> {
  const n = nodeOf(x), [g, b] = [gain, bias].map((t) => nodeOf(t as AnyTensor)) as [Node, Node];
  for (const p of [g, b]) {
    unwrap(trailingShape("layerNorm", n.shape, p.shape));
    if (p.dtype !== n.dtype) {
      throw new TypeError(`Cannot layerNorm ${n.dtype} with ${p.dtype}: dtypes must be equal`);
    }
  }
  const axes = [...n.shape.keys()].slice(n.shape.length - g.shape.length);
  const inside = [n, g, b].map((t) => cast(t, "f32")) as [Node, Node, Node];
  const [wide, scale, offset] = inside, eps = options.eps ?? 1e-5;
  const { y } = standard(wide, axes, eps);
  const composite = compute((y, g, b) => X.add(X.mul(y, g), b), [y, scale, offset]);
  const out = makeNode({
    kind: "custom",
    shape: n.shape,
    dtype: "f32",
    inputs: [composite, ...inside],
    backward: (ct, { inputs: [, x, gain] }) => cotangents(ct, x!, gain!, axes, eps),
  });
  return wrap(settle(cast(out, n.dtype)));
}

/** c = x - mean x, r = 1 / √(variance x + eps) and y = c r. */
function standard(
  x: Node,
  axes: readonly number[],
  eps: number,
): { readonly c: Node; readonly r: Node; readonly y: Node } {
  const c = centred(x, axes), spread = meanNode(mul(c, c), axes);
  const r = compute((v, e) => X.div(1, X.sqrt(X.add(v, e))), [spread, constant(eps)]);
  return { c, r, y: mul(c, r) };
}

/**
 * Of x, gain and bias. With h = ct · gain, x has r (h - mean h - c r² mean(h c)): the means need nothing of one another, which
 * spares a row kernel the pass that the general rules take, as for them the sum of c is not known to be 0.
 */
function cotangents(
  ct: Node,
  x: Node,
  gain: Node,
  axes: readonly number[],
  eps: number,
): readonly Node[] {
  const { c, r, y } = standard(x, axes, eps), h = mul(ct, gain);
  const along = compute((m, r) => X.mul(m, X.mul(r, r)), [meanNode(mul(h, c), axes), r]);
  const byX = compute(
    (h, m, c, a, r) => X.mul(X.sub(X.sub(h, m), X.mul(c, a)), r),
    [h, meanNode(h, axes), c, along, r],
  );
  const leading = [...x.shape.keys()].slice(0, x.shape.length - axes.length);
  const down = (n: Node): Node => reshape(reduce("sum", n, leading), gain.shape);
  return [byX, down(mul(ct, y)), down(ct)];
}
