/** The tensor as the signatures see it: three properties, both type parameters invariant. */
import type { Shape, Sizes } from "../../core/shape/mod.ts";

declare const shapeTag: unique symbol;
/** An immutable array of shape S and element type D. Invariant, or two sizes would unify to a union. */
export interface Tensor<in out S = Shape, in out D = "f32"> {
  readonly [shapeTag]: S;
  readonly dtype: D;
  readonly shape: Sizes<S>;
}
// deno-lint-ignore no-explicit-any
export type AnyTensor = Tensor<any, any>;
/** The shapes of a tuple of tensors. */
// deno-lint-ignore no-explicit-any
export type ShapesOf<T> = { [K in keyof T]: T[K] extends Tensor<infer S, any> ? S : never };
/** The dtypes of a tuple of tensors. */
export type DTypesOf<T> = { [K in keyof T]: T[K] extends { readonly dtype: infer D } ? D : never };
