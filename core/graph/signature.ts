/**
 * A text that two graphs share exactly when they compute the same: the key under which programs are cached.
 *
 * @module
 */
import { type Node, sorted } from "./node.ts";

function attributes(n: Node, number: ReadonlyMap<Node, number>): string {
  switch (n.kind) {
    case "const":
      return Object.is(n.number, -0) ? "-0" : String(n.number);
    case "map":
      return String(n.expr.id);
    case "reduce":
      return `${n.combine}${n.axes}`;
    case "permute":
      return String(n.axes);
    case "slice":
      return `${n.starts}/${n.steps}`;
    case "place":
      return `${n.fill}|${n.placements.map((p) => `${p.starts}/${p.steps}`).join("|")}`;
    case "gather":
    case "scatter":
      return String(n.batch);
    case "custom":
      return n.kernel ? JSON.stringify(n.kernel) : "";
    case "data":
    case "input":
      throw new TypeError(`Cannot sign a graph: ${n.kind} ${number.size} is not among its leaves`);
    default:
      return "";
  }
}

/** The signature of `outputs` as functions of `leaves`. */
export function signature(leaves: readonly Node[], outputs: readonly Node[]): string {
  const number = new Map<Node, number>(leaves.map((n, i) => [n, i]));
  const lines = leaves.map((n) => `${n.dtype}[${n.shape}]`);
  for (const n of sorted(outputs, (m) => number.has(m))) {
    if (number.has(n)) continue;
    const inputs = n.inputs.map((m) => number.get(m)!);
    lines.push(`${n.kind}:${attributes(n, number)}:${n.dtype}[${n.shape}]:${inputs}`);
    number.set(n, number.size);
  }
  return `${lines.join("\n")}\n=${outputs.map((n) => number.get(n)!)}`;
}
