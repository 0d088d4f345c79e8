/**
 * A function as a graph: it is called once on stand-ins for its arguments, and what it gives is nodes over them.
 *
 * @module
 */
import { collect } from "../device/value.ts";
import { tracing } from "../execute.ts";
import { type InputNode, makeNode } from "../graph/node.ts";
import { type AnyTensor, isTensor, nodeOf, wrap } from "../tensor.ts";
import { mapTree, paths, type Tree } from "../tree.ts";

/** What a call gave, and the stand-ins of the tensors among its arguments, in the order of the leaves. */
export interface Trace {
  readonly inputs: readonly InputNode[];
  readonly result: unknown;
}

/** Traces `f`; only shapes and dtypes of the tensors in `args` count. */
export function traceOf(f: (...args: never) => unknown, args: readonly unknown[]): Trace {
  const inputs: InputNode[] = [];
  const traced = mapTree(args as Tree<unknown>, (x) => {
    if (!isTensor(x)) return x;
    const { shape, dtype } = nodeOf(x);
    inputs.push(makeNode({ kind: "input", shape, dtype, inputs: [] }));
    return wrap(inputs.at(-1)!);
  }) as readonly never[];
  // Constants that f makes belong to the program, not to the scope that is open during the first call.
  const end = collect();
  try {
    return { inputs, result: tracing(() => f(...traced as unknown as never)) };
  } finally {
    end();
  }
}

/** The tensors of a tree with their paths, in the fixed order. */
export function tensorLeaves(tree: unknown): (readonly [path: string, tensor: AnyTensor])[] {
  return paths(tree as Tree<unknown>).flatMap(([path, x]) => isTensor(x) ? [[path, x]] : []);
}
