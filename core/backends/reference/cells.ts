/**
 * Numbers of one tensor as the reference holds them: row-major, f16 and bf16 as the f32 that they stand for.
 *
 * @module
 */
import { type DType, scalarOf } from "../../dtype.ts";
import { type Sizes, stridesOf } from "../../graph/node.ts";

export type Cells = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** Zeros. */
export function cells(dtype: DType, size: number): Cells {
  const type = scalarOf(dtype);
  return type === "f32"
    ? new Float32Array(size)
    : type === "i32"
    ? new Int32Array(size)
    : type === "u32"
    ? new Uint32Array(size)
    : new Uint8Array(size);
}

/** Calls f(linear index, coordinates) for every element of a shape. The coordinates are reused: copy to keep. */
export function each(shape: Sizes, f: (index: number, at: readonly number[]) => void): void {
  const size = shape.reduce((a, b) => a * b, 1), at = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < size; i++) {
    f(i, at);
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis]! === shape[axis]; axis--) {
      at[axis] = 0;
    }
  }
}

/** The linear index of coordinates in a shape. */
export function indexer(shape: Sizes): (at: readonly number[]) => number {
  const strides = stridesOf(shape);
  return (at) => at.reduce((sum, c, i) => sum + c * strides[i]!, 0);
}
