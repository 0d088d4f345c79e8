/** Planning costs what a graph's size says: counted in expressions, which no busy machine changes. */
import { assert, assertEquals } from "@std/assert";
import type { Graph } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { type Kernel, operandsOf } from "../../core/plan/kernels.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { checked, graphOf } from "./plan_check.ts";
import { input, sumAll, trainingStep } from "./plan_models.ts";

/** As on a device that binds as many buffers as it likes: there sums of many terms stay one kernel. */
const limits = { fuse: true, bindings: 1 << 16 };

interface Cost {
  /** Expressions asked for, and those among them that were new. */
  readonly asked: number;
  readonly made: number;
  readonly kernels: number;
}

function costOf(graph: Graph): Cost {
  const before = X.expressionCounts(), { kernels } = makePlan(graph, limits);
  const after = X.expressionCounts();
  return {
    asked: after.asked - before.asked,
    made: after.made - before.made,
    kernels: kernels.length,
  };
}

/** What the last third of a graph costs over what the second costs: 1 if cost grows with size, 5/3 if with its square. */
function growth(graphOfSize: (n: number) => Graph, third: number): (of: keyof Cost) => number {
  const costs = [1, 2, 3].map((k) => costOf(graphOfSize(k * third)));
  return (of) => {
    const [one, two, three] = costs.map((c) => c[of]) as [number, number, number];
    return (three - two) / (two - one);
  };
}

Deno.test("every further layer of a training step costs the planner the same", () => {
  const step = (layers: number): Graph =>
    trainingStep({ B: 2, T: 8, C: 16, V: 32, heads: 2, layers });
  costOf(step(2)); // what layers share is known from here on
  const ratio = growth(step, 6);
  assert(Math.abs(ratio("kernels") - 1) < 0.05, `${ratio("kernels")} times the kernels`);
  assert(ratio("asked") < 1.1, `${ratio("asked")} times the expressions`);
});

Deno.test("every further term of a long sum costs the planner the same", () => {
  const sum = (terms: number): Graph => {
    const xs = Array.from({ length: terms }, () => input(3));
    return graphOf([xs.map((x) => sumAll(build.mul(x, x))).reduce(build.add)], xs);
  };
  const ratio = growth(sum, 150);
  assert(ratio("asked") < 1.1, `${ratio("asked")} times the expressions`);
  assertEquals(costOf(sum(450)).made, 0, "the same program needs no new expression");
});

Deno.test("a choice between two maps that turn out equal does not read its condition", () => {
  const [c, x, y] = [input(8), input(8), input(8)] as const;
  const same = build.compute((a) => X.neg(X.abs(a)), [x]);
  const size = build.compute(X.abs, [x]), again = build.compute(X.neg, [size]);
  const chosen = build.compute((p, a, b) => X.select(X.gt(p, 0), a, b), [c, same, again]);
  const plan = checked(graphOf([build.compute(X.sub, [y, chosen])], [c, x, y]));
  assertEquals(plan.kernels.map((k: Kernel) => operandsOf(k).map((o) => o.base)), [[y, x]]);
});

Deno.test("a producer that its reader reads twice, as it stands and turned round, keeps its operands apart", () => {
  const [x, y] = [input(6), input(6)] as const, p = build.compute(X.sub, [x, y]);
  const turned = build.slice(p, [5], [6], [-1]);
  const both = build.compute((a, b, c) => X.div(X.sub(a, b), X.add(X.abs(c), 1)), [p, turned, y]);
  const plan = checked(graphOf([both], [x, y]));
  assertEquals(plan.kernels.map((k: Kernel) => operandsOf(k).length), [4]);
});
