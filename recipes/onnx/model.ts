/**
 * What an ONNX file holds, as plain data.
 *
 * @module
 */

/** The version of the operators: 17 has LayerNormalization, and onnxruntime reads it since 1.12 (2022). */
export const OPSET = 17;
/** The version of the file's layout that belongs to it. */
export const IR_VERSION = 8;

/** Element types, by the numbers that ONNX gives them. */
export const ELEMENTS = {
  f32: 1,
  i8: 3,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  bf16: 16,
} as const satisfies Readonly<Record<string, number>>;

/** An element type. */
export type Element = keyof typeof ELEMENTS;

/** A tensor that the file holds. */
export interface OnnxTensor {
  readonly name: string;
  readonly element: Element;
  readonly dims: readonly number[];
  /** The elements' bytes, the low ones first. */
  readonly data: Uint8Array;
}

/** An attribute: a whole number, whole numbers, a text, or a number with a fraction. */
export type Attribute = number | readonly number[] | string | { readonly float: number };
/** Attributes by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** An operator's call: every one that we use has one result. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Attributes;
}

/** A value that goes in or comes out; an axis has a size or a name. */
export interface OnnxValue {
  readonly name: string;
  readonly element: Element;
  readonly axes: readonly (number | string)[];
}

/** A model. Nodes stand after those whose results they read. */
export interface OnnxModel {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  /** What else is known of it, by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes of an array, not copied. ONNX wants the low byte first, as every machine that Deno runs on has it. */
export function bytesOf(array: ArrayBufferView<ArrayBufferLike>): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
