/**
 * Between which numbers the elements of a node lie, where they depend on no input: ids that are known to be in a table need no guard.
 *
 * @module
 */
import type { Cells } from "../../core/backends/reference/cells.ts";
import { cells } from "../../core/backends/reference/cells.ts";
import { fromHost, type HostArray } from "../../core/dtype.ts";
import type { Node, NodeOf } from "../../core/graph/node.ts";
import type { RuledKind } from "../../core/primitives/rules.ts";
import { ruleOf } from "../../core/primitives/rules.ts";

/** The least and the greatest. */
export type Range = readonly [least: number, greatest: number];

/** Finds ranges, given what is known of the contents of data. */
export function rangeFinder(
  contents: (n: NodeOf<"data">) => HostArray | undefined,
): (n: Node) => Range | undefined {
  const known = new Map<Node, Cells | undefined>();
  const compute = (n: Node): Cells | undefined => {
    switch (n.kind) {
      case "input":
        return undefined;
      case "data": {
        const data = contents(n);
        return data && Object.assign(cells(n.dtype, data.length), fromHost(data, n.dtype));
      }
      case "const":
        return cells(n.dtype, 1).fill(n.number);
      case "iota":
        return Int32Array.from({ length: n.shape[0]! }, (_, i) => i);
      case "custom":
        return valueOf(n.inputs[0]!);
      default: {
        const inputs = n.inputs.map(valueOf);
        if (inputs.some((x) => x === undefined)) return undefined;
        return ruleOf(n as NodeOf<RuledKind>).evaluate(n as NodeOf<RuledKind>, inputs as Cells[]);
      }
    }
  };
  const valueOf = (n: Node): Cells | undefined => {
    if (!known.has(n)) known.set(n, compute(n));
    return known.get(n);
  };
  // Moving elements does not change what there is of them.
  const moved = (n: Node): Node =>
    ["expand", "permute", "reshape", "alias"].includes(n.kind) ? moved(n.inputs[0]!) : n;
  return (n) => {
    const values = valueOf(moved(n));
    if (!values) return undefined;
    let low = Infinity, high = -Infinity;
    for (const x of values) [low, high] = [Math.min(low, x), Math.max(high, x)];
    return [low, high];
  };
}
