/** Plans against the reference: what all tests of the planner ask. */
import { evaluate } from "../../core/backends/reference/mod.ts";
import type { Graph } from "../../core/device/device.ts";
import { type Node, sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import type { Plan } from "../../core/plan/plan.ts";
import { interpret } from "./plan_interpreter.ts";

export function graphOf(
  outputs: readonly Node[],
  inputs: readonly Node[],
  donations: readonly (readonly [number, number])[] = [],
): Graph {
  return { outputs, inputs, donations: new Map(donations) };
}

/** The fused plan of outputs. */
export function planOf(
  outputs: readonly Node[],
  inputs: readonly Node[],
  bindings = 8,
): Plan {
  return makePlan(graphOf(outputs, inputs), { fuse: true, bindings });
}

/** Some numbers, between -2 and 2; ids between 0 and 3. */
export function valuesFor(graph: Graph): (Float32Array | Int32Array)[] {
  return graph.inputs.map((n, k) => {
    const from = { length: sizeOf(n.shape) };
    return n.dtype === "i32"
      ? Int32Array.from(from, (_, i) => (i * 7 + k) % 4)
      : Float32Array.from(from, (_, i) => 2 * Math.sin(1 + 7.3 * i + k));
  });
}

/** Throws unless the plan gives the reference's values, whichever way its kernels walk their elements. */
export function checkPlan(graph: Graph, plan: Plan, tolerance = 2e-4): void {
  const inputs = valuesFor(graph), want = evaluate(graph, inputs);
  for (const backwards of [false, true]) {
    interpret(graph, plan, inputs, backwards).forEach((got, o) => {
      Array.from(want[o]!).forEach((w, i) => {
        const g = got[i]!;
        if (Object.is(g, w) || Math.abs(g - w) <= tolerance * Math.max(1, Math.abs(w))) return;
        throw new RangeError(`Output ${o}, element ${i} is ${g}, not ${w}`);
      });
    });
  }
}

/** Plans and checks. */
export function checked(graph: Graph, bindings = 8): Plan {
  const plan = makePlan(graph, { fuse: true, bindings });
  checkPlan(graph, plan);
  return plan;
}
