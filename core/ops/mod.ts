/** The ops, by name. Adding one: a file in this folder, and a line here. */
export { gelu, geluTanh, relu, sigmoid, silu, softplus } from "./activation.ts";
export { addAlongAxis } from "./add_along_axis.ts";
export { argmax, argmin } from "./arg_reduce.ts";
export { add, div, mul, rem, sub } from "./arithmetic.ts";
export { bitcast, cast, type Word } from "./casts.ts";
export { isFinite, isInfinite, isNaN } from "./classify.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./compare.ts";
export type { Operand } from "./elementwise.ts";
export { exp, expm1, log, log1p, log2 } from "./exponential.ts";
export { erf, tanh } from "./hyperbolic.ts";
export { and, not, or, shiftLeft, shiftRight, xor } from "./logic.ts";
export { abs, clamp, maximum, minimum, neg, sign } from "./magnitude.ts";
export { pow, reciprocal, rsqrt, sqrt, square } from "./power.ts";
export { all, any } from "./quantify.ts";
export { max, mean, min, type ReduceOptions, sum } from "./reduce.ts";
export { ceil, floor, round, trunc } from "./rounding.ts";
export { stopGradient, where } from "./select.ts";
export { cos, sin } from "./trigonometric.ts";
