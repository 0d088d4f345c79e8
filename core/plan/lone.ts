/**
 * Work that stands alone: products, gathers, scatters and placements become kernels at once.
 *
 * @module
 */
import * as X from "../expr/expr.ts";
import { scalarOf } from "../dtype.ts";
import { type Node, type NodeOf, sizeOf, type Sizes } from "../graph/node.ts";
import type { FusedKernel } from "../graph/fused_kernel.ts";
import { addLone, copied, type Emitter, stored, type Value, viewOn } from "./emit.ts";
import type { Operand } from "./kernels.ts";
import { reshaped, type View } from "./views.ts";

function operandOf({ base, offset, strides }: View): Operand {
  return { base, offset, strides };
}

const zero = (n: Node): Value => X.constant(0, scalarOf(n.dtype));

function storedInput(e: Emitter, n: Node, k: number, values: readonly Value[]): View {
  const input = n.inputs[k]!;
  return stored(e, values[k]!, input.shape, input.dtype);
}

/** A matmul node's value. A product with one matrix for the whole batch is one tall product. */
export function product(e: Emitter, n: NodeOf<"matmul">, values: readonly Value[]): Value {
  const k = n.inputs[0]!.shape.at(-1)!, rank = n.shape.length;
  if (k === 0) return zero(n);
  const a = storedInput(e, n, 0, values), b = storedInput(e, n, 1, values);
  const batch = n.shape.slice(0, -2), m = n.shape[rank - 2]!, size = sizeOf(batch);
  const shared = size > 1 && b.strides.slice(0, -2).every((s) => s === 0);
  const tall = shared ? reshaped(a, [size * m, k]) : null;
  const store = addLone(e, {
    kind: "matmul",
    batch: tall ? [] : batch,
    m: tall ? size * m : m,
    n: n.shape[rank - 1]!,
    k,
    a: operandOf(tall ?? a),
    b: tall ? { ...operandOf(b), strides: b.strides.slice(-2) } : operandOf(b),
    store: n,
  }, [a, b]);
  return viewOn(store, n.shape);
}

/** A gather node's value: nothing to read from an empty table. */
export function gathered(e: Emitter, n: NodeOf<"gather">, values: readonly Value[]): Value {
  const [x, ids] = n.inputs as [Node, Node], size = x.shape[n.batch]!;
  if (size === 0) return zero(n);
  const table = storedInput(e, n, 0, values), at = storedInput(e, n, 1, values);
  const store = addLone(e, {
    kind: "gather",
    groups: x.shape.slice(0, n.batch),
    count: ids.shape.slice(n.batch),
    row: x.shape.slice(n.batch + 1),
    size,
    table: operandOf(table),
    ids: operandOf(at),
    store: n,
  }, [table, at]);
  return viewOn(store, n.shape);
}

/** A scatter node's value. */
export function scattered(e: Emitter, n: NodeOf<"scatter">, values: readonly Value[]): Value {
  const ids = n.inputs[0]!;
  if (sizeOf(ids.shape) === 0) return zero(n);
  const at = storedInput(e, n, 0, values), updates = storedInput(e, n, 1, values);
  const store = addLone(e, {
    kind: "scatter",
    groups: ids.shape.slice(0, n.batch),
    count: ids.shape.slice(n.batch),
    row: n.shape.slice(n.batch + 1),
    size: n.shape[n.batch]!,
    ids: operandOf(at),
    updates: operandOf(updates),
    store: n,
  }, [at, updates]);
  return viewOn(store, n.shape);
}

/** The value of a node that a hand-written kernel computes from its arguments; their last axes are read in order. */
export function byHand(
  e: Emitter,
  n: NodeOf<"custom">,
  does: FusedKernel,
  values: readonly Value[],
): Value {
  const views = values.map((v, i) => {
    const { shape, dtype } = n.inputs[i + 1]!, view = stored(e, v, shape, dtype);
    return view.strides.at(-1) === 1 || shape.at(-1) === 1 ? view : copied(e, view, shape, dtype);
  });
  const store = addLone(e, { kind: "hand", does, operands: views.map(operandOf), store: n }, views);
  return viewOn(store, n.shape);
}

const covers = (part: Sizes, shape: Sizes): boolean => part.every((n, i) => n === shape[i]);

/** A place node's value. Empty parts and parts of nothing but fill go; one part that covers everything is the result. */
export function placed(e: Emitter, n: NodeOf<"place">, values: readonly Value[]): Value {
  const fill = X.constant(n.fill, scalarOf(n.dtype));
  const parts = n.placements.map((p, i) => ({ ...p, node: n.inputs[i]!, value: values[i]! }))
    .filter((p) => sizeOf(p.node.shape) > 0 && p.value !== fill);
  if (!parts.length) return fill;
  const whole = parts.find((p) => covers(p.node.shape, n.shape) && p.steps.every((s) => s === 1));
  if (whole) return whole.value;
  const views = parts.map((p) => stored(e, p.value, p.node.shape, p.node.dtype));
  const store = addLone(e, {
    kind: "place",
    shape: n.shape,
    fill: n.fill,
    parts: parts.map((p, i) => ({
      from: operandOf(views[i]!),
      sizes: p.node.shape,
      starts: p.starts,
      steps: p.steps,
    })),
    store: n,
  }, views);
  return viewOn(store, n.shape);
}
