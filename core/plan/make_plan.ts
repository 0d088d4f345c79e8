/**
 * The planner: a graph to kernels in order and a slot of memory for every buffer.
 *
 * @module
 */
import type { Graph } from "../device/device.ts";
import type { Node } from "../graph/node.ts";
import { buildKernel } from "./build.ts";
import { allocate } from "./liveness.ts";
import type { Plan, PlanLimits } from "./plan.ts";
import { resolve } from "./resolve.ts";

/** Plans a graph for a backend. Pure; equal graphs give equal plans. */
export function makePlan(graph: Graph, _limits: PlanLimits): Plan {
  const { items, results } = resolve(graph);
  const donors = new Map<Node, Node>();
  graph.donations.forEach((input, output) => donors.set(results[output]!, graph.inputs[input]!));
  const kernels = items.map((it) => buildKernel([it], () => true));
  return allocate(graph, results, kernels, donors);
}
