/**
 * From nodes to items: constants fold into expressions, movement becomes strides, what is left is work.
 *
 * @module
 */
import * as X from "../expr/expr.ts";
import { scalarOf } from "../dtype.ts";
import type { Graph } from "../device/device.ts";
import { type FusedKernel, fusedText } from "../graph/fused_kernel.ts";
import { type Node, type NodeOf, show, sizeOf, sorted } from "../graph/node.ts";
import {
  addMap,
  copied,
  type Emitter,
  emitter,
  fold,
  isUniform,
  isWhole,
  newBuffer,
  type Value,
  viewOn,
} from "./emit.ts";
import { alive, type Item, operandKey } from "./items.ts";
import { byHand, gathered, placed, product, scattered } from "./lone.ts";
import type { PlanLimits } from "./plan.ts";
import { reduced } from "./reduce.ts";
import {
  type Barrier,
  expanded,
  permuted,
  reshaped,
  sliced,
  type View,
  wholeView,
} from "./views.ts";

/** The work of a graph, producers first in the order of the program, and the buffer that holds each output. */
export interface Resolved {
  readonly items: readonly Item[];
  readonly results: readonly Node[];
  /** Hand-written kernels whose composites are computed, and why. */
  readonly composed: readonly string[];
}

export function resolve(graph: Graph, composes: PlanLimits["composes"] = undefined): Resolved {
  const leaves = new Set(graph.inputs), e = emitter();
  const isHand = (n: Node): n is NodeOf<"custom"> & { readonly kernel: FusedKernel } =>
    n.kind === "custom" && n.kernel !== undefined && composes !== undefined &&
    composes(n.kernel) === undefined;
  // A kernel reads the arguments: the composite that it stands for is not even looked at.
  const inputsOf = (n: Node): readonly Node[] => isHand(n) ? n.inputs.slice(1) : n.inputs;
  const values = new Map<Node, Value>(), barriers = new Map<string, Barrier>();
  let counter: Node | null = null;
  // Nodes are numbered as they are made: that order is the program's, and it keeps forward, backward and update apart.
  const nodes = sorted(graph.outputs, (n) => leaves.has(n), inputsOf).sort((p, q) => p.id - q.id);
  for (const n of nodes) {
    if (sizeOf(n.shape) === 0) values.set(n, X.constant(0, scalarOf(n.dtype)));
    else if (leaves.has(n)) values.set(n, wholeView(n));
    else if (n.kind === "iota") {
      counter ??= n;
      values.set(n, viewOn(counter, n.shape));
    } else if (isHand(n)) {
      values.set(n, byHand(e, n, n.kernel, inputsOf(n).map((i) => values.get(i)!)));
    } else {values.set(
        n,
        partOf(n, values) ?? valueOf(
          e,
          n,
          inputsOf(n).map((i) => values.get(i)!),
          barriers,
        ),
      );}
  }
  const results = resultsOf(graph, e, values);
  return { items: alive(e.items, results), results, composed: composedOf(nodes, composes) };
}

/** A line for every kernel that the backend turns down. */
function composedOf(nodes: readonly Node[], composes: PlanLimits["composes"]): string[] {
  const lines = nodes.flatMap((n) => {
    const why = n.kind === "custom" && n.kernel && composes?.(n.kernel);
    return why ? [`${fusedText(n.kernel!)} by its composite: ${why}`] : [];
  });
  return [...new Set(lines)];
}

function valueOf(
  e: Emitter,
  n: Exclude<Node, NodeOf<"iota">>,
  inputs: readonly Value[],
  barriers: Map<string, Barrier>,
): Value {
  switch (n.kind) {
    case "input":
    case "data":
      throw new TypeError(
        `Cannot plan a graph that reads ${n.kind} ${n.dtype} ${
          show(n.shape)
        }: it must be among the inputs`,
      );
    case "const": {
      const c = X.constant(n.number, scalarOf(n.dtype));
      return n.dtype === "f16" ? X.roundF16(c) : n.dtype === "bf16" ? X.roundBf16(c) : c;
    }
    case "map":
      return mapped(e, n, inputs);
    case "reduce":
      return reduced(e, n, inputs[0]!);
    case "matmul":
      return product(e, n, inputs);
    case "gather":
      return gathered(e, n, inputs);
    case "scatter":
      return scattered(e, n, inputs);
    case "place":
      return placed(e, n, inputs);
    case "alias":
      return guarded(inputs, barriers);
    default:
      return isUniform(inputs[0]!) ? inputs[0] : moved(e, n, inputs[0]!);
  }
}

/** A slice that lies within one part of a placement is a slice of that part: what packs results and takes them apart again costs nothing. */
function partOf(n: Node, values: ReadonlyMap<Node, Value>): Value | null {
  if (n.kind !== "slice") return null;
  let from = n.inputs[0]!;
  while (from.kind === "custom" || from.kind === "remat") from = from.inputs[0]!;
  if (from.kind !== "place") return null;
  const last = n.shape.map((size, k) => n.starts[k]! + (size - 1) * n.steps[k]!);
  for (const [i, { starts, steps }] of from.placements.entries()) {
    const part = from.inputs[i]!, v = values.get(part);
    const within = v && steps.every((s) => s === 1) && n.shape.every((_, k) => {
      const end = starts[k]! + part.shape[k]!, a = n.starts[k]!, b = last[k]!;
      return Math.min(a, b) >= starts[k]! && Math.max(a, b) < end;
    });
    if (!within) continue;
    return isUniform(v) ? v : sliced(v, n.shape, n.starts.map((s, k) => s - starts[k]!), n.steps);
  }
  return null;
}

/** Views of a view. Only a reshape may need a copy. */
function moved(
  e: Emitter,
  n: NodeOf<"reshape" | "permute" | "expand" | "slice" | "remat" | "custom">,
  v: View,
): View {
  switch (n.kind) {
    case "permute":
      return permuted(v, n.axes);
    case "expand":
      return expanded(v, n.shape);
    case "slice":
      return sliced(v, n.shape, n.starts, n.steps);
    case "reshape":
      return reshaped(v, n.shape) ?? viewOn(copied(e, v, v.shape, n.dtype).base, n.shape);
    case "remat":
    case "custom":
      return v;
  }
}

function mapped(e: Emitter, n: NodeOf<"map">, inputs: readonly Value[]): Value {
  if (inputs.every(isUniform)) return fold(X.substitute(n.expr, inputs));
  return viewOn(addMap(e, n, n.expr, inputs), n.shape);
}

/** inputs[0] behind a barrier: what reads it waits for the other inputs. Aliases of several values for one reason share it. */
function guarded(inputs: readonly Value[], barriers: Map<string, Barrier>): Value {
  const [v, ...others] = inputs as [Value, ...Value[]];
  if (isUniform(v) || !others.length) return v;
  const key = others.map((o) => isUniform(o) ? `=${o.id}` : operandKey(o)).join("|");
  const after = others.flatMap((o) => isUniform(o) ? [] : [o.base]);
  const barrier = barriers.get(key) ?? { id: barriers.size, after: [...new Set(after)] };
  barriers.set(key, barrier);
  return { ...v, barriers: [...v.barriers, barrier] };
}

/** The buffer of every output: its own work, or a copy of what it shares with an input, a view or another output. */
function resultsOf(graph: Graph, e: Emitter, values: ReadonlyMap<Node, Value>): Node[] {
  const taken = new Set<Node>();
  return graph.outputs.map((n, i) => {
    if (sizeOf(n.shape) === 0) return newBuffer(n.shape, n.dtype);
    const v = values.get(n)!, donor = graph.donations.get(i);
    const own = !isUniform(v) && isWhole(v) && !taken.has(v.base) &&
      (e.makers.has(v.base) || donor !== undefined && v.base === graph.inputs[donor]);
    const result = own ? v.base : addCopy(e, n, v);
    taken.add(result);
    return result;
  });
}

/** A copy that merges with nothing, for it must be a buffer of its own. */
function addCopy(e: Emitter, n: Node, v: Value): Node {
  const node = newBuffer(n.shape, n.dtype);
  const apart: Emitter = { items: e.items, makers: e.makers, made: new Map() };
  return addMap(apart, node, X.operand(0, scalarOf(n.dtype)), [v]);
}
