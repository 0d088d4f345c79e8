/**
 * Mixed precision: a model whose forward and backward pass are computed in a narrow type, while its weights stay in f32.
 *
 * @module
 */
import { type AnyTensor, cast, type Float, mapTree, type Tree } from "../core/mod.ts";

/**
 * Parameters as a pass in `dtype` reads them: rounded. Activations take the type of the parameters, so all that is kept for the
 * backward pass has two bytes instead of four; the gradient of the rounding is f32, as the parameters are. f32 changes nothing.
 *
 * Numerics: every result is rounded to `dtype`. Products, LayerNorm's statistics, the softmax of attention and cross-entropy are
 * computed in f32 all the same. f16 overflows beyond 65504 and has nothing between 0 and 6e-8, so its losses must be scaled
 * (`nextLossScale` of optim); bf16 has the range of f32 and 8 bits.
 *
 * The result has the type of the parameters, for which layers are written: what it really holds is `dtype`.
 *
 * Source: Micikevicius et al. 2018 (arXiv 1710.03740), section 3.1: a master copy in f32.
 *
 * @example
 * ```ts
 * import { grad, mul, read, sum, tensor, type Tensor } from "@motian/motian";
 * import { lowered } from "@motian/motian/nn";
 * import { assertEquals } from "@std/assert";
 *
 * const rounded = lowered({ w: tensor([1 / 3]) }, "f16");
 * assertEquals(rounded.w.dtype as string, "f16");
 * const slope = grad((p: { w: Tensor<[1]> }) => {
 *   const { w } = lowered(p, "f32");
 *   return sum(mul(w, w));
 * });
 * assertEquals([...await read(slope({ w: tensor([3]) }).w)], [6]);
 * ```
 */
export function lowered<P>(params: P, dtype: Float): P {
  return mapTree(
    params as Tree<AnyTensor>,
    (p) => p.dtype === "f32" ? cast(p, dtype) as AnyTensor : p,
  ) as P;
}
