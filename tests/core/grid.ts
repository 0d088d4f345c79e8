/**
 * Tensors as plain numbers with coordinates: what ops that move elements are tested against, element by element.
 *
 * @module
 */
import { type AnyTensor, type DType, fromArray, read, sizesOf } from "../../core/mod.ts";

/** Numbers, row by row, and the sizes of the axes. */
export interface Grid {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** The grid of f(coordinates). */
export function grid(shape: readonly number[], f: (at: readonly number[]) => number): Grid {
  const visit = (at: readonly number[]): number[] =>
    at.length === shape.length
      ? [f(at)]
      : Array.from({ length: shape[at.length]! }, (_, i) => visit([...at, i])).flat();
  return { shape, values: visit([]) };
}

/** Different numbers everywhere. */
export function counting(shape: readonly number[]): Grid {
  let n = 0;
  return grid(shape, () => ++n);
}

/** The number at coordinates; 0 outside. */
export function at({ shape, values }: Grid, coordinates: readonly number[]): number {
  if (coordinates.some((c, k) => c < 0 || c >= shape[k]!)) return 0;
  return values[coordinates.reduce((index, c, k) => index * shape[k]! + c, 0)]!;
}

/** The tensor of a grid. */
export function tensorOf({ shape, values }: Grid, dtype: DType = "f32"): AnyTensor {
  return fromArray(values, shape, dtype);
}

/** The grid of a tensor of f32, i32, u32 or bool. */
export async function gridOf(x: AnyTensor): Promise<Grid> {
  return { shape: sizesOf(x), values: [...await read(x)] };
}
