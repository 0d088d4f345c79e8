/** The ops, by name. Adding one: a file in this folder, and a line here. */
export { gelu, geluTanh, relu, sigmoid, silu, softplus } from "./activation.ts";
export { addAlongAxis } from "./add_along_axis.ts";
export { argmax, argmin } from "./arg_reduce.ts";
export { add, div, mul, rem, sub } from "./arithmetic.ts";
export {
  type RelativeAttention,
  relativeAttention,
  type RelativeAttentionOptions,
} from "./attention.ts";
export { broadcastTo } from "./broadcast_to.ts";
export { bitcast, cast, type Word } from "./casts.ts";
export { isFinite, isInfinite, isNaN } from "./classify.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./compare.ts";
export { concat, type Parts, split, stack } from "./concat.ts";
export { cond } from "./cond.ts";
export { cumsum } from "./cumulative.ts";
export { dynamicSlice, dynamicUpdate } from "./dynamic.ts";
export { einsum } from "./einsum.ts";
export type { Operand } from "./elementwise.ts";
export { expandDims, squeeze } from "./expand_dims.ts";
export { expectShape, size } from "./expect_shape.ts";
export { exp, expm1, log, log1p, log2 } from "./exponential.ts";
export { embedding, gather } from "./gather.ts";
export { globalNorm } from "./global_norm.ts";
export { erf, tanh } from "./hyperbolic.ts";
export { and, not, or, shiftLeft, shiftRight, xor } from "./logic.ts";
export { abs, clamp, maximum, minimum, neg, sign } from "./magnitude.ts";
export { matmul } from "./matmul.ts";
export { layerNorm, type LayerNormOptions, variance } from "./normalise.ts";
export { oneHot } from "./one_hot.ts";
export { pad } from "./pad.ts";
export { permute, swapaxes, transpose } from "./permute.ts";
export { pow, reciprocal, rsqrt, sqrt, square } from "./power.ts";
export { all, any } from "./quantify.ts";
export { rearrange } from "./rearrange.ts";
export { max, mean, min, type ReduceOptions, sum } from "./reduce.ts";
export { repeat, tile } from "./repeat.ts";
export { reshape } from "./reshape.ts";
export { ceil, floor, round, trunc } from "./rounding.ts";
export { type Rest, scan, type StackOf, type StepOf, type StepsOf } from "./scan.ts";
export { scatterAdd } from "./scatter_add.ts";
export { stopGradient, where } from "./select.ts";
export { everyNth, flip, slice } from "./slice.ts";
export { logSoftmax, logSumExp, softmax } from "./softmax.ts";
export { argsort, sort, type TopK, topK } from "./sort.ts";
export { takeAlongAxis } from "./take_along_axis.ts";
export { tril, triu } from "./triangle.ts";
export { cos, sin } from "./trigonometric.ts";
