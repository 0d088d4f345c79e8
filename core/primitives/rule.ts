/**
 * What a transform must know of a kind of node. The rules of a kind stand together in the file of its op; `rules.ts`
 * lists them, and a kind without a rule does not compile.
 *
 * @module
 */
import type { Node } from "../graph/node.ts";
import type { Cells } from "../backends/reference/cells.ts";

export interface Rule<N extends Node> {
  /** The value, from the values of the inputs: plain loops, the oracle. */
  readonly evaluate: (n: N, xs: readonly Cells[]) => Cells;
  /** The cotangent of input `i` from the cotangent of the result, or null if there is none. */
  readonly vjp: (n: N, ct: Node, i: number) => Node | null;
  /** The tangent of the result, or null, from those of the inputs (null: none). At least one is given. */
  readonly jvp: (n: N, tangents: readonly (Node | null)[]) => Node | null;
  /** The same for a batch: every input has a new axis 0 of `size`, and so has the result. */
  readonly batch: (n: N, inputs: readonly Node[], size: number) => Node;
}

/** The tangent of a linear op of one input: the op itself. */
export function linear<N extends Node>(apply: (n: N, x: Node) => Node): Rule<N>["jvp"] {
  return (n, tangents) => apply(n, tangents[0]!);
}
