/** Memory: scratch of long chains, the order of kernels, recomputation; and the time that planning takes. */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Graph } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sorted } from "../../core/graph/node.ts";
import { explainPlan } from "../../core/plan/explain.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import type { Plan } from "../../core/plan/plan.ts";
import { pullback } from "../../core/transform/pullback.ts";
import { leastOf } from "../least.ts";
import { checked, checkPlan, graphOf, planOf } from "./plan_check.ts";
import { block, gelu, input, type Model, parameters, sumAll, trainingStep } from "./plan_models.ts";

const { compute, product } = build;
const scratch = (plan: Plan): number[] =>
  plan.slots.filter((s) => s.role === "scratch").map((s) => s.words);

Deno.test("an unrolled chain needs two buffers however long it is", () => {
  const w = input(8, 8), x = input(8, 8);
  let y: Node = x;
  for (let i = 0; i < 50; i++) y = compute(X.tanh, [product(y, w)]);
  assertEquals(scratch(checked(graphOf([y], [x, w]))), [64, 64]);
});

Deno.test("an elementwise chain longer than a kernel's code writes over itself", () => {
  const x = input(100);
  let y: Node = x;
  for (let i = 0; i < 300; i++) y = compute((e) => X.add(X.tanh(e), 0.1), [y]);
  const plan = planOf([y], [x]);
  assertEquals(scratch(plan), [100]);
  assertGreater(plan.kernels.length, 3);
});

Deno.test("gradients of weights are made while their activations live, big results wait until they are needed", () => {
  const ws = Array.from({ length: 12 }, () => input(16, 16)), x = input(256, 16);
  let y: Node = x;
  for (const w of ws) y = gelu(product(y, w));
  const grads = pullback([sumAll(y)], [build.constant(1)], ws).map((g) => g!);
  const plan = makePlan(graphOf(grads, [x, ...ws]), { fuse: true, bindings: 8 });
  // Every layer keeps its product (for the slope of gelu) and its result (for the next weight); the top layer's go at once.
  const layer = 256 * 16 * 4;
  assertLess(explainPlan(plan).peakBytes, 24 * layer);
  // Tables that nothing waits for yet are not filled at the start.
  const tables = ws.map((w) =>
    build.reshape(gelu(build.broadcastTo(build.reshape(w, [1, 16, 16]), [64, 16, 16])), [
      1024,
      16,
    ])
  );
  let z: Node = input(1024, 1);
  const start = z;
  for (const t of tables) z = product(product(t, build.transpose(t)), z);
  const late = planOf([z], [start, ...ws]);
  assertLess(explainPlan(late).peakBytes, 1.1 * 4 * (1024 * 1024 + 1024 * 16 + 4096));
});

Deno.test("a gradient of two parts is added to its sum while the layer is at hand", () => {
  const layers = 24, ws = Array.from({ length: layers }, () => input(64, 64));
  const x = input(16, 64), table = input(4, 64), sums = ws.map(() => input(64, 64));
  let y: Node = x;
  for (const w of ws) {
    const row = build.reduce("sum", product(table, w), [0]);
    y = compute((a, b) => X.tanh(X.add(a, b)), [
      product(y, w),
      build.broadcastTo(build.reshape(row, [1, 64]), [16, 64]),
    ]);
  }
  const grads = pullback([sumAll(y)], [build.constant(1)], ws).map((g) => g!);
  const added = grads.map((g, i) => compute(X.add, [sums[i]!, g]));
  const graph: Graph = {
    ...graphOf(added, [x, table, ...ws, ...sums]),
    donations: new Map(added.map((_, i) => [i, 2 + layers + i])),
  };
  const { liveBytes, peakBytes } = explainPlan(makePlan(graph, { fuse: true, bindings: 8 }));
  // Three quarters on, half of the layers are done with: neither their results nor the gradients of these are waited with.
  assertLess(liveBytes[Math.floor(liveBytes.length * 3 / 4)]!, 0.6 * peakBytes);
});

/** A checkpoint around a block, as the transform makes it. */
function rematerialised(
  f: (x: Node, ps: readonly Node[]) => Node,
  x: Node,
  ps: readonly Node[],
): Node {
  const inside = [x, ...ps].map((n) => build.alias(n)), [y, ...qs] = inside;
  const result = f(y!, qs), { shape, dtype } = result;
  return makeNode({ kind: "remat", shape, dtype, inputs: [result, ...inside] });
}
const small: Model = { B: 2, T: 16, C: 8, V: 32, heads: 2, layers: 6 };

/** Gradients of six blocks. */
function gradients(T: number, wrap?: typeof rematerialised): Graph {
  const x = input(1, T, 8), params = parameters({ ...small, C: 8, layers: 6 }).blocks;
  const f = (y: Node, ps: readonly Node[]): Node => block(y, ps, 2);
  let y: Node = x;
  for (const ps of params) y = wrap ? wrap(f, y, ps) : f(y, ps);
  const flat = params.flat();
  const grads = pullback([sumAll(compute(X.tanh, [y]))], [build.constant(1)], flat);
  return graphOf(grads.map((g) => g!), [x, ...flat]);
}

Deno.test("checkpointed blocks compute the same with less memory", () => {
  const peaks = [undefined, rematerialised].map((wrap) => {
    const graph = gradients(4, wrap);
    checkPlan(graph, makePlan(graph, { fuse: true, bindings: 8 }), 1e-3);
    return explainPlan(makePlan(gradients(64, wrap), { fuse: true, bindings: 8 })).peakBytes;
  }) as [number, number];
  assertLess(peaks[1], 0.4 * peaks[0]);
});

Deno.test("a training step computes the same fused and not, checkpointed and not", () => {
  for (const wrap of [undefined, rematerialised]) {
    const graph = trainingStep({ ...small, layers: 2, V: 8, T: 4 }, wrap);
    for (const fuse of [true, false]) {
      const plan = makePlan(graph, { fuse, bindings: 8 });
      checkPlan(graph, plan, 2e-3);
      assertEquals(plan.copies.length, 0);
    }
  }
});

Deno.test("planning time grows with the graph, not with its square", async () => {
  const milliseconds = (layers: number): number => {
    const graph = trainingStep({ ...small, layers });
    const start = performance.now();
    makePlan(graph, { fuse: true, bindings: 8 });
    return (performance.now() - start) / sorted(graph.outputs).length;
  };
  milliseconds(3);
  const measure = (): number => {
    const [few, many] = [milliseconds(3), milliseconds(24)];
    return many / (6 * few + 0.2);
  };
  assertLess(await leastOf(1, measure), 1);
});

Deno.test("explain: a line a kernel, bytes of scratch and traffic", () => {
  const x = input(4, 8), w = input(8, 2), plan = planOf([gelu(product(x, w)), sumAll(x)], [x, w]);
  const { kernels, lines, liveBytes, peakBytes, scratchBytes, trafficBytes, flops } = explainPlan(
    plan,
  );
  assertEquals(lines, [
    "matmul 4 x 8 x 2: reads 2, writes f32 [4, 2], 224 B",
    "row [] x 8: reads 1, writes f32 [4, 2], 64 B",
    "row [] x 32, sum: reads 1, writes f32 [1, 1], 132 B",
  ]);
  assertEquals([scratchBytes, trafficBytes], [32, 420]);
  assertEquals([kernels, liveBytes, peakBytes], [3, [32, 32, 0], 32]);
  assertEquals(flops, 2 * 4 * 8 * 2);
});
