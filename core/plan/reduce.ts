/**
 * Reductions over any axes as rows and columns: the kinds that backends have loops for. What strides can merge is one
 * axis; reductions that are neither rows nor columns go in two steps.
 *
 * @module
 */
import { scalarOf } from "../dtype.ts";
import * as X from "../expr/expr.ts";
import { identityOf } from "../graph/identity_of.ts";
import type { Combine, Node, NodeOf } from "../graph/node.ts";
import {
  addItem,
  addMap,
  barriersOf,
  type Emitter,
  fold,
  isUniform,
  newBuffer,
  type Value,
  viewOn,
} from "./emit.ts";
import type { View } from "./views.ts";

/** A reduce node's value. */
export function reduced(e: Emitter, n: NodeOf<"reduce">, input: Value): Value {
  const from = n.inputs[0]!, scalar = scalarOf(n.dtype);
  const count = n.axes.reduce((size, k) => size * from.shape[k]!, 1);
  if (count === 0) return X.constant(identityOf(n.combine, n.dtype), scalar);
  if (isUniform(input)) return n.combine === "sum" ? fold(X.mul(input, count)) : input;
  return viewOn(reduceView(e, n, n.combine, input, n.axes), n.shape);
}

interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly reduced: boolean;
}

/** Axes that count, neighbours of one sort merged where the stride allows it. */
function axesOf(v: View, axes: readonly number[]): Axis[] {
  const out: Axis[] = [];
  v.shape.forEach((size, k) => {
    if (size === 1) return;
    const axis = { size, stride: v.strides[k]!, reduced: axes.includes(k) }, last = out.at(-1);
    if (last && last.reduced === axis.reduced && last.stride === axis.stride * size) {
      out[out.length - 1] = { ...axis, size: last.size * size };
    } else out.push(axis);
  });
  return out;
}

/** One axis for all of them, if strides allow it. */
function merged(axes: readonly Axis[]): Axis | null {
  return axes.every((a, i) => i === 0 || axes[i - 1]!.stride === a.stride * a.size)
    ? { ...axes.at(-1)!, size: axes.reduce((n, a) => n * a.size, 1) }
    : null;
}

function reduceView(
  e: Emitter,
  node: Node,
  combine: Combine,
  v: View,
  over: readonly number[],
): Node {
  const axes = axesOf(v, over);
  const across = axes.filter((a) => a.reduced), kept = axes.filter((a) => !a.reduced);
  const element = X.operand(0, scalarOf(v.base.dtype));
  if (!across.length) return addMap(e, node, element, [v]);
  const add = (kind: "row" | "column", space: readonly Axis[]): Node =>
    addItem(e, {
      kind,
      node,
      combine,
      space: space.map((a) => a.size),
      operands: [{ base: v.base, offset: v.offset, strides: space.map((a) => a.stride) }],
      expr: element,
      after: [],
    }, barriersOf([v]));
  // The axis that memory walks fastest says whether rows or columns are read in order.
  const step = (a: Axis): number => a.stride === 0 ? Infinity : Math.abs(a.stride);
  const fastest = axes.reduce((best, a) => step(a) < step(best) ? a : best);
  const column = merged(kept), row = merged(across);
  if (kept.length && column && !fastest.reduced) return add("column", [...across, column]);
  if (row) return add("row", [...kept, row]);
  // Two steps. First columns, if without one axis the others are read in order; else the axis that is walked fastest.
  const without = (a: Axis): Axis[] => axes.filter((b) => b !== a);
  const columns = fastest.reduced ? [] : across.filter((a) => merged(without(a)));
  const first = columns.length
    ? columns.reduce((best, a) => a.size > best.size ? a : best)
    : across.reduce((best, a) => step(a) < step(best) ? a : best);
  const rest = without(first), shape = rest.map((a) => a.size);
  const partial = newBuffer(shape, node.dtype);
  const stage: View = {
    ...v,
    shape: [...shape, first.size],
    strides: [...rest, first].map((a) => a.stride),
  };
  const between = viewOn(reduceView(e, partial, combine, stage, [shape.length]), shape);
  const remaining = [...shape.keys()].filter((i) => rest[i]!.reduced);
  return reduceView(e, node, combine, between, remaining);
}
