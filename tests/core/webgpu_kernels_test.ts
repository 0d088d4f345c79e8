/** Every kind of kernel in WGSL against plain loops, over random shapes and views. */
import fc from "npm:fast-check@4.10.2";
import { assertEquals } from "@std/assert";
import type { DType } from "../../core/dtype.ts";
import * as X from "../../core/expr/expr.ts";
import { makeNode, type Node } from "../../core/graph/node.ts";
import { type Kernel, REDUCED } from "../../core/plan/kernels.ts";
import { interpret } from "./plan_interpreter.ts";
import * as R from "./random_kernel.ts";
import { runPlan, webgpuTest, webgpuTestOnce } from "./webgpu_device.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import type { Draw } from "./random_graph.ts";

/** As the laws allow: a value close to the middle of two may be rounded to either. */
const tolerances: { readonly [D in DType]?: number } = { f16: 2 ** -9.9, bf16: 2 ** -6.9 };

async function check(device: WebGpuDevice, k: Kernel, draw: Draw): Promise<void> {
  const { graph, plan } = R.aloneInPlan(k);
  const inputs = graph.inputs.map((n) => R.someValues(draw, n));
  const want = interpret(graph, plan, inputs), got = await runPlan(device, graph, plan, inputs);
  want.forEach((w, o) => {
    const { dtype } = graph.outputs[o]!, tolerance = tolerances[dtype] ?? 2e-5;
    w.forEach((x, i) => {
      const g = got[o]![i]!;
      if (g === x || Math.abs(g - x) <= tolerance * Math.max(1, Math.abs(x))) return;
      throw new RangeError(`${k.kind}, output ${o}: element ${i} is ${g}, not ${x}`);
    });
  });
}

/** Cases of each kind. */
const runs: Readonly<Record<R.Kind, number>> = {
  row: 120,
  column: 80,
  matmul: 25,
  gather: 80,
  scatter: 80,
  place: 80,
  "row of mixed floats": 70,
  "column of mixed floats": 40,
  "matmul of mixed floats": 15,
};

for (const [name, numRuns] of Object.entries(runs) as [R.Kind, number][]) {
  webgpuTest("kernels", name, async (device) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1 << 16), { minLength: 60, maxLength: 60 }),
        async (numbers) => {
          let at = 0;
          const draw = (n: number): number => (numbers[at++ % numbers.length]! + at) % n;
          await check(device, R.kinds[name](draw), draw);
        },
      ),
      { numRuns, seed: 11, interruptAfterTimeLimit: 100_000 },
    );
  });
}

/** A leaf of ones, or of whole numbers below 3. */
const leaf = (shape: readonly number[], dtype: "f32" | "i32"): Node =>
  makeNode({ kind: "input", shape, dtype, inputs: [] });

webgpuTestOnce(
  "kernels",
  "sums of more numbers than a software adapter's loop takes",
  async (device) => {
    const count = 150_001, rows = 17;
    const x = leaf([rows, count], "f32"), ids = leaf([count], "i32"), ones = leaf([count], "f32");
    const alone: readonly Kernel[] = [
      {
        kind: "row",
        outer: [rows],
        inner: count,
        loads: [{ base: x, offset: 0, strides: [count, 1] }],
        reductions: [{ combine: "sum", value: X.operand(0, "f32"), phase: 0 }],
        stores: [{ node: leaf([rows], "f32"), value: X.operand(REDUCED, "f32"), perRow: true }],
      },
      {
        kind: "scatter",
        groups: [],
        count: [count],
        row: [],
        size: 2,
        ids: { base: ids, offset: 0, strides: [1] },
        updates: { base: ones, offset: 0, strides: [1] },
        store: leaf([2], "f32"),
      },
    ];
    const given = new Map<Node, ArrayLike<number>>([
      [x, new Float32Array(rows * count).fill(1)],
      [ids, Int32Array.from({ length: count }, (_, i) => i % 2)],
      [ones, new Float32Array(count).fill(1)],
    ]);
    const sums = await Promise.all(alone.map(async (k) => {
      const { graph, plan } = R.aloneInPlan(k);
      const [out] = await runPlan(device, graph, plan, graph.inputs.map((n) => given.get(n)!));
      return [...out as Float32Array];
    }));
    assertEquals(sums, [Array(rows).fill(count), [75_001, 75_000]]);
  },
);

webgpuTest("kernels", "wide and ragged columns", async (device) => {
  for (const columns of [33, 67, 132, 256, 268]) {
    const loads = [{ base: leaf([37, columns], "f32"), offset: 0, strides: [columns, 1] }];
    let at = 0;
    await check(device, {
      kind: "column",
      rows: [37],
      columns,
      loads,
      combine: "sum",
      value: X.operand(0, "f32"),
      store: leaf([columns], "f32"),
    }, (n) => (at += 7) % n);
  }
});
