/** The rules of `gather` and `scatter`, which are transposes of each other. */
import { type Cells, cells } from "../backends/reference/cells.ts";
import { gather, scatter } from "../graph/build.ts";
import { type GatherNode, type Node, type ScatterNode, sizeOf } from "../graph/node.ts";
import type { Rule } from "./rule.ts";

/** Calls f(row in the table or -1 if the id is outside, row in the list of ids) in the order of ids. */
function eachId(
  ids: Node,
  values: Cells,
  batch: number,
  size: number,
  f: (tableRow: number, idRow: number) => void,
): void {
  const count = sizeOf(ids.shape.slice(batch));
  values.forEach((id, i) => f(id >= 0 && id < size ? Math.floor(i / count) * size + id : -1, i));
}

export const gatherRule: Rule<GatherNode> = {
  evaluate: (n, [x, ids]) => {
    const table = n.inputs[0]!.shape, row = sizeOf(table.slice(n.batch + 1));
    const out = cells(n.dtype, sizeOf(n.shape));
    eachId(n.inputs[1]!, ids!, n.batch, table[n.batch]!, (from, to) => {
      if (from >= 0) out.set(x!.subarray(from * row, (from + 1) * row), to * row);
    });
    return out;
  },
  vjp: (n, ct, i) =>
    i === 0 ? scatter(n.inputs[1]!, ct, n.inputs[0]!.shape[n.batch]!, n.batch) : null,
  jvp: (n, [t]) => gather(t!, n.inputs[1]!, n.batch),
  batch: (n, [x, ids]) => gather(x!, ids!, n.batch + 1),
};

export const scatterRule: Rule<ScatterNode> = {
  evaluate: (n, [ids, updates]) => {
    const size = n.shape[n.batch]!, row = sizeOf(n.shape.slice(n.batch + 1));
    const sums = new Float64Array(sizeOf(n.shape));
    eachId(n.inputs[0]!, ids!, n.batch, size, (to, from) => {
      if (to < 0) return;
      for (let r = 0; r < row; r++) sums[to * row + r]! += updates![from * row + r]!;
    });
    const out = cells(n.dtype, sums.length);
    out.set(sums);
    return out;
  },
  vjp: (n, ct, i) => i === 1 ? gather(ct, n.inputs[0]!, n.batch) : null,
  jvp: (n, [, t]) => scatter(n.inputs[0]!, t!, n.shape[n.batch]!, n.batch),
  batch: (n, [ids, updates]) => scatter(ids!, updates!, n.shape[n.batch]!, n.batch + 1),
};
