/**
 * Tensors that a function closes over: they stand in the file once, by the name of their path.
 *
 * @module
 */
import type { DataNode, Node } from "../../core/graph/node.ts";
import { nodeOf } from "../../core/tensor.ts";
import { tensorLeaves } from "../../core/transform/trace.ts";
import type { Builder } from "./builder.ts";
import type { Size } from "./lengths.ts";
import { bytesOf, type OnnxTensor } from "./model.ts";
import { elementsOf } from "./table.ts";
import { fixedSizes, type Value } from "./value.ts";

/** Weights that are used. */
export interface Weights {
  readonly valueOf: (n: DataNode) => Value;
  /** What the file holds of them. */
  readonly tensors: () => Promise<readonly OnnxTensor[]>;
}

interface Held {
  readonly name: string;
  readonly dims: readonly number[];
}

/** Weights by the paths of a tree. Those that are in no tree are numbered. */
export function weights(b: Builder, tree: unknown): Weights {
  const paths = new Map<Node, string>(tensorLeaves(tree).map(([path, x]) => [nodeOf(x), path]));
  const held = new Map<DataNode, Held>();
  /** A weight has the shape that it is first asked for in: most are only ever used in one. */
  const named = (n: DataNode, dims: readonly number[], sizes: readonly Size[]): string => {
    const known = held.get(n);
    if (!known) {
      const name = paths.get(n) ?? `data_${held.size}`;
      held.set(n, { name, dims });
      return name;
    }
    const isSame = String(known.dims) === String(dims);
    return isSame ? known.name : b.node("Reshape", [known.name, b.sizes(sizes)]);
  };
  const valueOf = (n: DataNode, sizes: readonly Size[] = n.shape.map(b.fixed)): Value => ({
    sizes,
    name: () => named(n, fixedSizes(sizes)!, sizes),
    reshaped: (other) => valueOf(n, other),
  });
  const tensors = (): Promise<readonly OnnxTensor[]> =>
    Promise.all([...held].map(async ([n, { name, dims }]) => {
      const { element, array } = elementsOf(await n.value.read(), n);
      return { name, element, dims, data: bytesOf(array) };
    }));
  return { valueOf: (n) => valueOf(n), tensors };
}
