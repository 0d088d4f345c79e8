/**
 * The planner: a graph to kernels in order and a slot of memory for every buffer.
 *
 *     resolve -> split -> inline -> fuse -> build -> order -> allocate
 *
 * @module
 */
import type { Graph } from "../device/device.ts";
import type { Node } from "../graph/node.ts";
import { buildKernel } from "./build.ts";
import { fuse, type Group } from "./fuse.ts";
import { inlineMaps } from "./inline.ts";
import { operandsOf, writesOf } from "./kernels.ts";
import { allocate } from "./liveness.ts";
import { ordered, type Task } from "./order.ts";
import type { Plan, PlanLimits } from "./plan.ts";
import { resolve } from "./resolve.ts";
import { splitColumns, splitRows } from "./split.ts";

/**
 * Plans a graph for a backend. Pure: equal graphs give equal plans.
 *
 * @throws {RangeError} if two outputs are to take the memory of one input.
 * @throws {TypeError} if the graph reads a value that is not among its inputs.
 */
export function makePlan(graph: Graph, limits: PlanLimits): Plan {
  const { items: whole, results, composed } = resolve(graph, limits.composes);
  const rows = splitRows(whole);
  const inlined = limits.fuse ? inlineMaps(rows, results, limits.bindings) : rows;
  const items = splitColumns(inlined, limits.sums ?? false);
  const donors = donorsOf(graph, results), bound = new Set([...graph.inputs, ...results]);
  const inPlace = new Map(donors), isResult = new Set(results);
  for (;;) {
    const groups: readonly Group[] = limits.fuse
      ? fuse(items, { results: isResult, donors: inPlace, bindings: limits.bindings })
      : items.map((it) => [it]);
    const kernels = ordered(tasksOf(groups, results), bound, inPlace);
    const plan = {
      ...allocate(graph, results, kernels, { donors, inPlace }, limits.halves),
      composed,
    };
    const refused = limits.fuse
      ? overfull(plan, limits.bindings).filter((n) => inPlace.has(n))
      : [];
    if (!refused.length) return plan;
    // A kernel counted on writing over an input, and order forbade it: fuse again without.
    refused.forEach((n) => inPlace.delete(n));
  }
}

/** Of every donated result the input whose memory it takes. */
function donorsOf(graph: Graph, results: readonly Node[]): Map<Node, Node> {
  const donors = new Map<Node, Node>(), given = new Set<number>();
  graph.donations.forEach((input, output) => {
    if (given.has(input)) {
      throw new RangeError(`Cannot donate input ${input} twice: one output takes its memory`);
    }
    given.add(input);
    donors.set(results[output]!, graph.inputs[input]!);
  });
  return donors;
}

/** The kernels of the groups. What another group reads is stored. */
function tasksOf(groups: readonly Group[], results: readonly Node[]): Task[] {
  const groupOf = new Map<Node, Group>(), stored = new Set(results);
  for (const g of groups) for (const it of g) groupOf.set(it.node, g);
  for (const g of groups) {
    for (const it of g) {
      for (const n of [...it.operands.map((o) => o.base), ...it.after]) {
        if (groupOf.get(n) !== g) stored.add(n);
      }
    }
  }
  return groups.map((g) => ({
    kernel: buildKernel(g, (n) => stored.has(n)),
    after: [...new Set(g.flatMap((it) => it.after))],
  }));
}

/** What kernels write that touch too many slots. */
function overfull(plan: Plan, bindings: number): Node[] {
  return plan.kernels.filter((k) => {
    const buffers = [...operandsOf(k).map((o) => o.base), ...writesOf(k)];
    const slots = new Set(buffers.filter((n) => n.kind !== "iota").map((n) => plan.slotOf.get(n)!));
    return k.kind === "row" && slots.size > bindings;
  }).flatMap(writesOf);
}
