/**
 * Batching: a function of single examples becomes one of batches. The function is traced once at the shapes of one example;
 * its graph is then built again with a batch axis in front. Every kind batches by moving its axes up one place.
 *
 * @module
 */
import { broadcastTo, moveAxis, reshape } from "../graph/build.ts";
import { makeNode, type Node, show, sorted } from "../graph/node.ts";
import { settleAll, tracing } from "../execute.ts";
import { ruleOf } from "../primitives/rules.ts";
import { mapTree, type Tree } from "../tree.ts";
import type { Shape } from "../shape/mod.ts";
import { type AnyTensor, isTensor, nodeOf, type Tensor, wrap } from "../tensor.ts";
import { nodesOf, withNodes } from "./grad.ts";
import { dependents } from "./pullback.ts";

type Batched = Map<Node, Node>;

/** x without a batch axis, repeated along a new axis 0. */
function repeated(x: Node, size: number): Node {
  return broadcastTo(reshape(x, [1, ...x.shape]), [size, ...x.shape]);
}

/** `outputs` with a batch axis in front, given the batched nodes in `known` (which grows). */
function batch(outputs: readonly Node[], known: Batched, size: number): Node[] {
  const order = sorted(outputs, (m) => known.has(m));
  const depends = dependents(order, new Set(known.keys()));
  for (const n of order) {
    if (known.has(n) || !depends.has(n)) continue;
    const inputs = n.inputs.map((i) => known.get(i) ?? repeated(i, size));
    known.set(n, batchNode(n, inputs, known, size));
  }
  return outputs.map((n) => known.get(n) ?? repeated(n, size));
}

function batchNode(n: Node, inputs: readonly Node[], known: Batched, size: number): Node {
  switch (n.kind) {
    case "input":
    case "data":
    case "const":
    case "iota":
      return repeated(n, size);
    case "custom": {
      // The rule is traced for one example, then batched in the same surroundings.
      const backward = (ct: Node): (Node | null)[] => {
        const one = makeNode({ kind: "input", shape: n.shape, dtype: n.dtype, inputs: [] });
        const cts = n.backward(one, n), given = cts.filter((c) => c !== null);
        const batched = batch(given, new Map([...known, [one, ct]]), size).values();
        return cts.map((c) => c && batched.next().value!);
      };
      const shape = [size, ...n.shape];
      return makeNode({ kind: "custom", shape, dtype: n.dtype, inputs, backward });
    }
    default:
      return ruleOf(n).batch(n, inputs, size);
  }
}

/** Which axis of an argument (all its tensors) is the batch; null: the same for every example. */
export type BatchAxis = number | null;

/** Options of `vmap`. */
export interface VmapOptions {
  /** One axis for every argument, or one for all; 0 by default. */
  readonly in?: BatchAxis | readonly BatchAxis[];
}

/** T with any tensor in the place of each: shapes of batches are checked at run time. */
export type AnyOf<T> = T extends Tensor<infer _S, infer _D> ? AnyTensor
  : T extends object ? { readonly [K in keyof T]: AnyOf<T[K]> }
  : T;

/** T with a batch axis, of run-time size, in front of every tensor. */
export type BatchOf<T> = T extends Tensor<infer S extends Shape, infer D>
  ? Tensor<[number, ...S], D>
  : T extends object ? { readonly [K in keyof T]: BatchOf<T[K]> }
  : T;

/** A fresh argument for one example of a batched tensor; notes what stands for it in the batch. */
function example(n: Node, axis: number, size: number | undefined, known: Batched): Node {
  const at = axis < 0 ? axis + n.shape.length : axis, here = n.shape[at];
  if (here === undefined || (size !== undefined && here !== size)) {
    const why = here === undefined ? "axis out of range" : `sizes ${size} and ${here} differ`;
    throw new TypeError(`Cannot vmap over axis ${axis} of ${show(n.shape)}: ${why}`);
  }
  const shape = n.shape.filter((_, k) => k !== at);
  const one = makeNode({ kind: "input", shape, dtype: n.dtype, inputs: [] });
  known.set(one, moveAxis(n, at, 0));
  return one;
}

/**
 * A function that does to every example of a batch what `f` does to one. The results have the batch axis in front.
 *
 * @throws {TypeError} if no argument has a batch axis, or two differ in size.
 *
 * @example
 * ```ts
 * import { read, sum, tensor, type Tensor, vmap } from "@motian/motian";
 * import { assertEquals } from "@std/assert";
 *
 * const rowSums = vmap((x: Tensor<[2]>) => sum(x));
 * assertEquals([...await read(rowSums(tensor([[1, 2], [3, 4], [5, 6]])))], [3, 7, 11]);
 * ```
 */
export function vmap<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): (...args: AnyOf<A> & readonly unknown[]) => BatchOf<R> {
  const { in: axes = 0 } = options;
  const axisOf = (i: number): BatchAxis =>
    axes === null || typeof axes === "number" ? axes : axes[i] ?? null;
  return (...args) => {
    const known: Batched = new Map();
    let size: number | undefined;
    const single = args.map((arg, i) => {
      const axis = axisOf(i);
      return axis === null ? arg : mapTree(arg as Tree<unknown>, (x) => {
        if (!isTensor(x)) return x;
        const one = example(nodeOf(x), axis, size, known);
        size = known.get(one)!.shape[0]!;
        return wrap(one);
      });
    });
    if (size === undefined) throw new TypeError("Cannot vmap: no argument has a batch axis");
    const result = tracing(() => f(...single as unknown as A));
    const outputs = tracing(() => batch(nodesOf(result), known, size!));
    return withNodes(result, settleAll(outputs)) as unknown as BatchOf<R>;
  };
}
