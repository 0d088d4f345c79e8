/**
 * Rows that are reduced while they lie far apart, as those of a transposed table do: one row may span more of a buffer than a shader
 * may bind, and a row cannot be cut. Such an operand is copied first, row after row, into the memory that the dispatches of a kernel
 * hand each other; a copy has no rows to keep whole, and is cut along any axis.
 *
 * Turned down: rows cut in pieces whose results are combined, which softmax and its like, with a reduction that needs another one
 * before it, would make several kernels of.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import { operand } from "../../expr/expr.ts";
import { makeNode, type Node, sizeOf, stridesOf } from "../../graph/node.ts";
import type { Operand, RowKernel } from "../../plan/kernels.ts";
import { type Part, wholePart } from "./part.ts";
import type { Target } from "./shader.ts";
import { elementBytes, WINDOW_STEP } from "./windows.ts";

/** Parts in their order, and the nodes that stand for what is in the memory that they hand each other. */
export interface Gathered {
  readonly parts: readonly Part[];
  readonly copied: ReadonlySet<Node>;
}

/** The kernel with every operand whose rows are spread too far copied before it. */
export function gatherRows(k: RowKernel, { bindingBytes, halves }: Target): Gathered {
  const space = [...k.outer, k.inner], copies: Part[] = [], copied = new Set<Node>();
  let end = 0;
  const loads = k.loads.map((load) => {
    const bytes = elementBytes({ node: load.base }, halves), step = Math.abs(load.strides.at(-1)!);
    const spread = bytes * step * (k.inner - 1) + WINDOW_STEP;
    if (load.base.kind === "iota" || step < 2 || spread <= bindingBytes) return load;
    // What is repeated along an axis is copied once.
    const axes = space.map((n, axis) => load.strides[axis] === 0 ? 1 : n);
    const { base: { dtype } } = load, shape = [sizeOf(axes)], offset = end / bytes;
    const node = makeNode({ kind: "input", shape, dtype, inputs: [] });
    copied.add(node);
    copies.push(copyOf(load, axes, node, offset));
    end = WINDOW_STEP * Math.ceil((end + bytes * shape[0]!) / WINDOW_STEP);
    const strides = stridesOf(axes).map((s, axis) => load.strides[axis] === 0 ? 0 : s);
    return { base: node, offset, strides };
  });
  return { parts: [...copies, wholePart({ ...k, loads })], copied };
}

/** A part that copies an operand over `axes` to an element of a node on. */
function copyOf(load: Operand, axes: readonly number[], node: Node, offset: number): Part {
  return {
    kind: "row",
    outer: axes.slice(0, -1),
    inner: axes.at(-1)!,
    loads: [load],
    reductions: [],
    stores: [{
      node,
      value: operand(0, scalarOf(node.dtype)),
      perRow: false,
      into: { offset, strides: stridesOf(axes) },
    }],
  };
}
