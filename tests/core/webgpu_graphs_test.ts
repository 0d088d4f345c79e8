/** Whole graphs on WebGPU, planned and fused, against the reference. */
import fc from "npm:fast-check@4.10.2";
import { assertEquals } from "@std/assert";
import type { Graph } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { evaluate } from "../../core/backends/reference/mod.ts";
import { randomGraph } from "./random_graph.ts";
import { runPlan, webgpuTest } from "./webgpu_device.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";

function input(...shape: number[]): Node {
  return makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
}

function assertClose(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  Array.from(want).forEach((w, i) => {
    const g = got[i]!;
    if (g === w || Number.isNaN(g) && Number.isNaN(w)) return;
    if (Math.abs(g - w) <= 2e-4 * Math.max(1, Math.abs(w))) return;
    throw new RangeError(`${what}: element ${i} is ${g}, not ${w}`);
  });
}

async function run(
  device: WebGpuDevice,
  graph: Graph,
  inputs: readonly ArrayLike<number>[],
): Promise<ArrayLike<number>[]> {
  return await runPlan(device, graph, makePlan(graph, { bindings: 8, fuse: true }), inputs);
}

webgpuTest("graphs", "random graphs give what the reference gives", async (device) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1 << 16), { minLength: 60, maxLength: 200 }), async (ns) => {
      let at = 0;
      const graph = randomGraph((n) => ns[at++ % ns.length]! % n, Math.ceil(ns.length / 6));
      const inputs = graph.inputs.map((n, i) =>
        Float32Array.from({ length: sizeOf(n.shape) }, (_, j) => Math.sin(1 + 7.3 * j + i) * 2)
      );
      const want = evaluate(graph, inputs), got = await run(device, graph, inputs);
      got.forEach((g, i) => assertClose(g, want[i]!, `output ${i}`));
    }),
    { numRuns: 25, seed: 5 },
  );
});

webgpuTest("graphs", "reductions carry NaN and infinity, short and long", async (device) => {
  for (const n of [7, 8, 4096]) {
    const x = input(4, n), y = input(n, 4);
    const outputs = [
      ...(["sum", "max", "min"] as const).map((c) => build.reduce(c, x, [1])),
      ...(["sum", "max", "min"] as const).map((c) => build.reduce(c, y, [0])),
    ];
    const rows = [NaN, Infinity, -Infinity, 3].map((special) =>
      Float64Array.from({ length: n }, (_, i) => i === n - 3 ? special : Math.sin(i))
    );
    const a = rows.flatMap((r) => [...r]);
    const b = Array.from({ length: n }, (_, i) => rows.map((r) => r[i]!)).flat();
    const graph = { inputs: [x, y], outputs, donations: new Map() };
    const want = evaluate(graph, [Float32Array.from(a), Float32Array.from(b)]);
    const got = await run(device, graph, [a, b]);
    got.forEach((g, i) => assertClose(g, want[i]!, `${n}, output ${i}`));
  }
});

webgpuTest("graphs", "empty axes and empty tensors", async (device) => {
  const x = input(3, 0), w = input(0, 5), y = input(0, 4);
  const graph = {
    inputs: [x, w, y],
    outputs: [
      build.reduce("sum", x, [1]),
      build.reduce("max", x, [1]),
      build.product(x, w),
      build.compute((a) => X.mul(a, 2), [y]),
    ],
    donations: new Map(),
  };
  const got = await run(device, graph, [[], [], []]);
  assertEquals(got.map((g) => [...Array.from(g)]), [
    [0, 0, 0],
    [-Infinity, -Infinity, -Infinity],
    Array(15).fill(0),
    [],
  ]);
});

webgpuTest("graphs", "half precision is rounded as it is on the host", async (device) => {
  const x = input(5, 7);
  const outputs = (["f16", "bf16"] as const).flatMap((d) => {
    const h = build.cast(x, d);
    return [h, build.compute((a) => X.mul(a, 3), [h], d), build.reduce("sum", h, [1])];
  });
  const graph = { inputs: [x], outputs, donations: new Map() };
  const values = Float32Array.from({ length: 35 }, (_, i) => Math.sin(i) * 10 ** (i % 9 - 5));
  const want = evaluate(graph, [values]), got = await run(device, graph, [values]);
  got.forEach((g, i) => assertEquals([...Array.from(g)], [...Array.from(want[i]!)], `output ${i}`));
});

webgpuTest("graphs", "a donated output replaces its input", async (device) => {
  const x = input(64), g = input(64);
  const graph: Graph = {
    inputs: [x, g],
    outputs: [build.compute((p, q) => X.sub(p, X.mul(q, 0.1)), [x, g])],
    donations: new Map([[0, 0]]),
  };
  const program = device.compile(graph);
  const [p, q] = [1, 2].map((v) => {
    const s = device.allocate(64, "f32");
    device.write(s, new Float32Array(64).fill(v), "f32");
    return s;
  });
  for (let i = 0; i < 5; i++) program.run([p!, q!], [p!]);
  const [first] = await device.read(p!, 64, "f32");
  assertClose([first!], [0], "after five steps");
  program.destroy();
  [p!, q!].forEach((s) => device.free(s));
});
