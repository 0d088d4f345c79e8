/**
 * Reverse mode: graph in, graph out. Rules say what one node does; here stand the order, the sums, and the two kinds
 * that change the backward pass: `custom` (its own rule) and `remat` (computes its insides again).
 *
 * @module
 */
import { isFloat } from "../dtype.ts";
import { alias, sumOf } from "../graph/build.ts";
import { makeNode, type Node, type RematNode, sorted } from "../graph/node.ts";
import { ruleOf } from "../primitives/rules.ts";

/** The nodes among `order` (inputs first) that depend on one of `roots`. */
export function dependents(order: readonly Node[], roots: ReadonlySet<Node>): Set<Node> {
  const found = new Set<Node>(roots);
  for (const n of order) if (n.inputs.some((i) => found.has(i))) found.add(n);
  return found;
}

/** A node with other inputs. */
export function withInputs(n: Node, inputs: readonly Node[]): Node {
  const { id: _id, traced: _traced, ...fields } = n;
  return makeNode({ ...fields, inputs } as Parameters<typeof makeNode>[0]);
}

/** In the order in which they were made, which puts inputs first too. */
const byAge = (a: Node, b: Node): number => a.id - b.id;

/** `outputs` built again, in the same order, upon what stands in the place of some nodes; `known` grows by the copies. */
export function replayed(outputs: readonly Node[], known: Map<Node, Node>): Node[] {
  const order = sorted(outputs, (m) => known.has(m)).sort(byAge),
    depends = dependents(order, new Set(known.keys()));
  for (const m of order) {
    if (depends.has(m) && !known.has(m)) {
      known.set(m, withInputs(m, m.inputs.map((i) => known.get(i) ?? i)));
    }
  }
  return outputs.map((n) => known.get(n) ?? n);
}

/** The insides of a remat, computed anew from the same arguments once `ct` is known; inputs first. */
interface Recomputed {
  readonly result: Node;
  readonly inside: readonly Node[];
  /** What reads an argument inside, and the argument. */
  readonly args: readonly (readonly [Node, Node])[];
}

function recomputed(n: RematNode, ct: Node): Recomputed {
  const [y, ...boundary] = n.inputs as [Node, ...Node[]];
  const copies = new Map<Node, Node>(boundary.map((b) => [b, alias(b.inputs[0]!, [ct])]));
  const args = [...copies.values()].map((copy) => [copy, copy.inputs[0]!] as const);
  const [result] = replayed([y], copies) as [Node];
  return { result, inside: [...copies.values()], args };
}

/**
 * The cotangents of `wanted` when the outputs have the cotangents `cts`; null where nothing arrives.
 *
 * The cotangents of a value add up from its last reader, as they were made, to the first: with checkpoints or without, the same sums.
 */
export function pullback(
  outputs: readonly Node[],
  cts: readonly (Node | null)[],
  wanted: readonly Node[],
): (Node | null)[] {
  const order = sorted(outputs).sort(byAge), needed = dependents(order, new Set(wanted));
  const arrived = new Map<Node, Node>(), argument = new Map<Node, Node>();
  const give = (to: Node, ct: Node | null): void => {
    let n = to;
    while (argument.has(n)) n = argument.get(n)!;
    if (ct === null || !needed.has(n) || !isFloat(n.dtype)) return;
    const sofar = arrived.get(n);
    arrived.set(n, sofar ? sumOf(sofar, ct) : ct);
  };
  outputs.forEach((n, i) => give(n, cts[i]!));
  while (order.length) {
    const n = order.pop()!, ct = arrived.get(n);
    if (!ct || n.inputs.length === 0) continue;
    if (n.kind === "custom") {
      n.backward(ct, n).forEach((part, i) => give(n.inputs[i + 1]!, part));
    } else if (n.kind === "remat") {
      const { result, inside, args } = recomputed(n, ct);
      for (const [copy, x] of args) argument.set(copy, x);
      for (const m of inside) if (m.inputs.some((i) => needed.has(i))) needed.add(m);
      order.push(...inside);
      give(result, ct);
    } else if (n.kind !== "input" && n.kind !== "data" && n.kind !== "const" && n.kind !== "iota") {
      n.inputs.forEach((input, i) => needed.has(input) && give(input, ruleOf(n).vjp(n, ct, i)));
    }
  }
  return wanted.map((n) => arrived.get(n) ?? null);
}
