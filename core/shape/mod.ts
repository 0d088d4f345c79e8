/**
 * Shape rules. Each file holds one rule twice: as a type, which the compiler works out, and as a function, its
 * run-time twin. Both give the same shape, or the same text of an error.
 *
 * ```ts ignore
 * export function matmul<A extends Shape, B extends Shape, D extends Float>(
 *   a: Tensor<A, D>,
 *   b: Arg<Matmul<A, B>, Tensor<B, NoInfer<D>>>,
 * ): Tensor<Ok<Matmul<A, B>>, D> {
 *   const shape = unwrap(matmulShape(a.shape, b.shape));
 * ```
 *
 * A broken rule turns the type of the argument into the text, so the compiler's message is ours and stands at the
 * argument: `Argument of type 'Tensor<[4, 5], "f32">' is not assignable to parameter of type
 * '"Cannot matmul [2, 3] with [4, 5]: inner axes must match"'`. The twin runs always, and throws the same text
 * with numbers in place of names.
 *
 * Inside, a rule is a type named `…In` that takes the constants `Z`; outside it is an alias with `Z` applied. See
 * `dim.ts` for why axes are compared in an odd way. New rules must keep to it: compare axes through `Eq`, `Is1`,
 * `IsWild`, `IsNum` only, hand constants in through `Z`, and start an alias with a test that depends on its shape.
 *
 * Left to run time: whether an id is below the size of the axis that it indexes, sizes that depend on data, sizes
 * of type `number`, two meanings of one name, sums of named axes (their size becomes `number`).
 * Ids are plain "i32" tensors, not typed by the axis that they index: the mark would have to ride in the dtype,
 * and every integer op (add, where, concat, slice) would have to carry it or drop it, for one class of mistakes.
 *
 * @module
 */
export { overAxis } from "./axis.ts";
export type { OverAxis } from "./axis.ts";
export { broadcastShape, broadcastToShape, trailingShape, whereShape } from "./broadcast.ts";
export type { Broadcast, BroadcastTo, Trailing, Where } from "./broadcast.ts";
export { concatShape, splitShape, stackShape } from "./concat.ts";
export type { Concat, Split, Stack } from "./concat.ts";
export type { Dim, DimOf, Length, Lengths, Shape, Size, Sizes } from "./dim.ts";
export { oneDType } from "./dtypes.ts";
export type { Accepts, OneDType } from "./dtypes.ts";
export { einsumShape } from "./einsum.ts";
export type { Einsum } from "./einsum.ts";
export { expandShape, squeezeShape, swapShape, transposeShape } from "./expand.ts";
export type { Expand, Squeeze, Swap, Transpose } from "./expand.ts";
export { gatherShape, oneHotShape, scatterAddShape, takeAlongShape } from "./gather.ts";
export type { Gather, OneHot, ScatterAdd, TakeAlong } from "./gather.ts";
export { linearShape, matmulShape } from "./matmul.ts";
export type { Linear, Matmul } from "./matmul.ts";
export { padShape } from "./pad.ts";
export type { Pad } from "./pad.ts";
export { permuteShape } from "./permute.ts";
export type { Permute } from "./permute.ts";
export { rearrangeShape } from "./rearrange.ts";
export type { Rearrange } from "./rearrange.ts";
export { reduceShape } from "./reduce.ts";
export type { Axes, Reduce } from "./reduce.ts";
export { reshapeShape } from "./reshape.ts";
export type { Reshape } from "./reshape.ts";
export { cannot, unwrap } from "./result.ts";
export type { Arg, Cannot, Fail, Good, Ok, Result } from "./result.ts";
export { resizeShape, sliceShape } from "./slice.ts";
export type { Resize, Slice } from "./slice.ts";
export { expectShapeOf, freshShape } from "./spec.ts";
export type { Expect, Static } from "./spec.ts";
export { show } from "./text.ts";
