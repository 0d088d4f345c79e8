/**
 * What users hold: an immutable value with its shape and element type in its type, and nothing else to see.
 *
 * The shape parameter is invariant (`in out`): were it covariant, TypeScript would unify the literals of two arguments
 * to a union, and an attention mask of the wrong batch would compile.
 *
 * @module
 */
import type { DType } from "./dtype.ts";
import { type Node, show } from "./graph/node.ts";
import type { Shape, Sizes } from "./shape/mod.ts";

/** The key under which the shape stands in the type. */
export declare const shapeTag: unique symbol;

/** An immutable n-dimensional array of shape S and element type D. */
export interface Tensor<in out S = Shape, in out D = "f32"> {
  /** Carries the shape in the type; there is nothing to read. */
  readonly [shapeTag]: S;
  /** The element type. */
  readonly dtype: D;
  /** The sizes of the axes. */
  readonly shape: Sizes<S>;
}

/** A tensor of any shape and dtype: the licensed border between typed signatures and untyped rules. */
// deno-lint-ignore no-explicit-any
export type AnyTensor = Tensor<any, any>;

/** The shapes of a tuple of tensors. */
export type ShapesOf<T> = { [K in keyof T]: T[K] extends Tensor<infer S, infer _D> ? S : never };
/** The dtypes of a tuple of tensors. */
export type DTypesOf<T> = { [K in keyof T]: T[K] extends { readonly dtype: infer D } ? D : never };

const NODE = Symbol("node");
const prototype = {
  [Symbol.for("Deno.customInspect")](this: AnyTensor): string {
    return `Tensor ${this.dtype as DType} ${show(nodeOf(this).shape)}`;
  },
};

/** The tensor of a node. */
export function wrap(node: Node): AnyTensor {
  const fields = { [NODE]: node, shape: node.shape, dtype: node.dtype };
  return Object.freeze(Object.assign(Object.create(prototype), fields));
}

/** The node of a tensor. */
export function nodeOf(x: AnyTensor): Node {
  return (x as unknown as { readonly [NODE]: Node })[NODE];
}

/** Is this a tensor? */
export function isTensor(x: unknown): x is AnyTensor {
  return typeof x === "object" && x !== null && NODE in x;
}

/** The sizes of a tensor whose shape is not in its type. */
export function sizesOf(x: AnyTensor): readonly number[] {
  return nodeOf(x).shape;
}
