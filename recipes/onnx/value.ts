/**
 * Values of an ONNX graph, as nodes of ours see them.
 *
 * What is repeated along an axis is not repeated in the file as long as that is left to ONNX, whose operators broadcast: the axis
 * has a size of 1 there.
 *
 * @module
 */
import type { Builder } from "./builder.ts";
import { isFixed, isOne, sameSize, sameSizes, type Size } from "./lengths.ts";

/** A value. */
export interface Value {
  /** Sizes in the file: 1 on axes that are still to be repeated. */
  readonly sizes: readonly Size[];
  /** Its name; a constant is written when this is first asked for. */
  readonly name: () => string;
  /** Its name as an operand of an elementwise operator: a constant number has no axes there. */
  readonly operand?: () => string;
  /** The same elements under another shape, where that is only another way to write a constant. */
  readonly reshaped?: (sizes: readonly Size[]) => Value;
}

/** The value of a node that has been written. */
export function written(name: string, sizes: readonly Size[]): Value {
  return { sizes, name: () => name };
}

/** The sizes of an array of sizes, where all are fixed. */
export function fixedSizes(sizes: readonly Size[]): readonly number[] | undefined {
  return sizes.every(isFixed) ? sizes.map((size) => size[0]!) : undefined;
}

/** Repeated to these sizes. */
export function repeated(b: Builder, value: Value, sizes: readonly Size[]): Value {
  if (sameSizes(value.sizes, sizes)) return value;
  const wanted = sizes.map((size, k) => isOne(value.sizes[k]!) ? size : b.fixed(1));
  return written(b.node("Expand", [value.name(), b.sizes(wanted)]), sizes);
}

/** Under another shape; one size that is not fixed is left to the runtime. */
export function reshaped(b: Builder, value: Value, sizes: readonly Size[]): Value {
  if (sameSizes(value.sizes, sizes)) return value;
  if (value.reshaped && fixedSizes(sizes)) return value.reshaped(sizes);
  if (sizes.some((size) => size.includes(0))) {
    // Here a 0 is a size, and nothing can be left to the runtime.
    const to = b.sizes(sizes);
    return written(b.node("Reshape", [value.name(), to], { allowzero: 1 }), sizes);
  }
  let isLeft = false;
  const wanted = sizes.map((size, k) => {
    if (isFixed(size)) return size;
    if (value.sizes[k] && sameSize(value.sizes[k], size)) return b.fixed(0);
    if (isLeft) return size;
    isLeft = true;
    return b.fixed(-1);
  });
  return written(b.node("Reshape", [value.name(), b.sizes(wanted)]), sizes);
}

/** Without some axes, which have a size of 1. */
export function squeezed(b: Builder, value: Value, axes: readonly number[]): Value {
  return reshaped(b, value, value.sizes.filter((_, k) => !axes.includes(k)));
}
