/**
 * The graph: immutable nodes. A tensor is a node with its shape in the type; tracing is building nodes; every
 * transform (vjp, jvp, vmap, checkpoint) takes a graph and gives a graph; every backend takes a graph and runs it.
 *
 * The kinds below are all there is. Everything else (softmax, sort, einsum, random numbers, scan) is composed of them, so a
 * transform or a backend is complete when it has a rule a kind.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import type { Expr } from "../expr/expr.ts";
import type { Value } from "../device/value.ts";
import type { FusedKernel } from "./fused_kernel.ts";

/** Sizes of the axes, as numbers. */
export type Sizes = readonly number[];

interface Base {
  readonly id: number;
  readonly shape: Sizes;
  readonly dtype: DType;
  readonly inputs: readonly Node[];
  /** Part of a trace: ops on it build nodes instead of running at once. */
  readonly traced: boolean;
}

/** An argument of a traced function. */
export type InputNode = Base & { readonly kind: "input" };
/** A value that lives on a device or on the host. */
export type DataNode = Base & { readonly kind: "data"; readonly value: Value };
/** One number, shape []. */
export type ConstNode = Base & { readonly kind: "const"; readonly number: number };
/** 0, 1, 2 … of type i32, shape [n]. */
export type IotaNode = Base & { readonly kind: "iota" };
/** One expression for every element; operand k is input k. All inputs have the node's shape. */
export type MapNode = Base & { readonly kind: "map"; readonly expr: Expr };
/** How elements are combined. `peak` is the greatest like `max`, but where one is NaN it may be anything, and a zero may have either sign. */
export type Combine = "sum" | "max" | "min" | "peak";
/** Combines over `axes` (ascending), which stay with size 1. Of no elements: 0, -infinity, infinity (integers: the type's ends). */
export type ReduceNode = Base & {
  readonly kind: "reduce";
  readonly combine: Combine;
  readonly axes: readonly number[];
};
/** [..., M, K] by [..., K, N], leading axes equal; sums in f32. Transposed factors are permuted views: NN, NT and TN are one kind. */
export type MatmulNode = Base & { readonly kind: "matmul" };
/** The same elements in row-major order under another shape. */
export type ReshapeNode = Base & { readonly kind: "reshape" };
/** Axis k of the result is axis axes[k] of the input. */
export type PermuteNode = Base & { readonly kind: "permute"; readonly axes: readonly number[] };
/** Axes of size 1 repeated to the node's shape; the rank stays. */
export type ExpandNode = Base & { readonly kind: "expand" };
/** Element i of axis k is element starts[k] + i * steps[k]; steps may be negative, not 0. */
export type SliceNode = Base & {
  readonly kind: "slice";
  readonly starts: readonly number[];
  readonly steps: readonly number[];
};
/** Where a part stands in the result of `place`. */
export interface Placement {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}
/** Parts, which do not overlap, put into a tensor of `fill`: the transpose of slice; pad and concat. */
export type PlaceNode = Base & {
  readonly kind: "place";
  readonly fill: number;
  readonly placements: readonly Placement[];
};
/** x [...G, V, ...R], ids [...G, ...N] (i32) -> [...G, ...N, ...R]; `batch` is the rank of G. An id outside 0..V-1 reads 0. */
export type GatherNode = Base & { readonly kind: "gather"; readonly batch: number };
/** ids [...G, ...N], updates [...G, ...N, ...R] -> [...G, V, ...R], sums in the order of N. An id outside adds nothing: the transpose of gather. */
export type ScatterNode = Base & { readonly kind: "scatter"; readonly batch: number };
/** inputs[0], under a new identity, after the other inputs have been computed. */
export type AliasNode = Base & { readonly kind: "alias" };
/** inputs[0], computed from the aliases inputs[1..]; its backward pass computes it again instead of keeping what lies between. */
export type RematNode = Base & { readonly kind: "remat" };
/**
 * inputs[0], computed from the arguments inputs[1..]; `backward` gives their cotangents from that of the result, reading the node's
 * inputs as it stands: a checkpoint makes copies of nodes. A backend that has the `kernel` runs it on the arguments instead.
 */
export type CustomNode = Base & {
  readonly kind: "custom";
  readonly backward: (ct: Node, node: CustomNode) => readonly (Node | null)[];
  readonly kernel?: FusedKernel;
};

export type Node =
  | InputNode
  | DataNode
  | ConstNode
  | IotaNode
  | MapNode
  | ReduceNode
  | MatmulNode
  | ReshapeNode
  | PermuteNode
  | ExpandNode
  | SliceNode
  | PlaceNode
  | GatherNode
  | ScatterNode
  | AliasNode
  | RematNode
  | CustomNode;

/** The names of the kinds. */
export type Kind = Node["kind"];
/** The node type of one kind. */
export type NodeOf<K extends Kind> = Extract<Node, { readonly kind: K }>;

type Fields<T> = T extends Node ? Omit<T, "id" | "traced"> : never;
let nextId = 0;

/** Makes a node. It is traced if it is an argument, an alias, or has a traced input. */
export function makeNode<T extends Fields<Node>>(fields: T): NodeOf<T["kind"]> {
  const traced = fields.kind === "input" || fields.kind === "alias" ||
    fields.inputs.some((n) => n.traced);
  return { ...fields, id: nextId++, traced } as unknown as NodeOf<T["kind"]>;
}

/** Number of elements. */
export function sizeOf(shape: Sizes): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** "[2, 3]" */
export function show(shape: Sizes): string {
  return `[${shape.join(", ")}]`;
}

/** Equal sizes? */
export function sameShape(a: Sizes, b: Sizes): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Row-major strides. */
export function stridesOf(shape: Sizes): number[] {
  const out = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = step;
    step *= shape[i]!;
  }
  return out;
}

/** Every node that the outputs need, inputs first. Iterative: graphs of whole training steps are deep. */
export function sorted(
  outputs: readonly Node[],
  isLeaf: (n: Node) => boolean = () => false,
  inputsOf: (n: Node) => readonly Node[] = (n) => n.inputs,
): Node[] {
  const done = new Set<Node>(), open = new Set<Node>(), stack = [...outputs].reverse();
  while (stack.length) {
    const n = stack.at(-1)!;
    if (done.has(n)) stack.pop();
    else if (open.has(n) || isLeaf(n)) done.add(stack.pop()!);
    else {
      open.add(n);
      const inputs = inputsOf(n);
      for (let i = inputs.length - 1; i >= 0; i--) {
        if (!done.has(inputs[i]!)) stack.push(inputs[i]!);
      }
    }
  }
  return [...done];
}
