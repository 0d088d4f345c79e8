/**
 * What types promise and untyped callers (of `AnyTensor`) can break: dtypes of operands, and scalars.
 *
 * @module
 */
import { type DType, isFloat } from "../dtype.ts";
import { type Node, show } from "../graph/node.ts";

/** Refuses a node whose dtype does not hold. */
function expect(op: string, n: Node, must: string, holds: boolean): void {
  if (!holds) throw new TypeError(`Cannot ${op} ${n.dtype} ${show(n.shape)}: it must be ${must}`);
}

/** f32, f16 or bf16. */
export function expectFloats(op: string, ...nodes: readonly Node[]): void {
  for (const n of nodes) expect(op, n, "of floats", isFloat(n.dtype));
}

/** Anything but bool. */
export function expectNumbers(op: string, ...nodes: readonly Node[]): void {
  for (const n of nodes) expect(op, n, "of numbers", n.dtype !== "bool");
}

/** i32 or u32. */
export function expectIds(op: string, n: Node): void {
  expect(op, n, "of i32 or u32", n.dtype === "i32" || n.dtype === "u32");
}

/** One element of shape []. */
export function expectScalar(op: string, n: Node, dtype: DType): void {
  expect(op, n, `one ${dtype}`, n.dtype === dtype && n.shape.length === 0);
}
