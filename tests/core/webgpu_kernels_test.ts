/** Every kind of kernel in WGSL against plain loops, over random shapes and views. */
import fc from "npm:fast-check@4.10.2";
import { operand } from "../../core/expr/expr.ts";
import { makeNode, type Node } from "../../core/graph/node.ts";
import type { Kernel } from "../../core/plan/kernels.ts";
import { interpret } from "./plan_interpreter.ts";
import * as R from "./random_kernel.ts";
import { runPlan, webgpuTest } from "./webgpu_device.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import type { Draw } from "./random_graph.ts";

async function check(device: WebGpuDevice, k: Kernel, draw: Draw): Promise<void> {
  const { graph, plan } = R.aloneInPlan(k);
  const inputs = graph.inputs.map((n) => R.someValues(draw, n));
  const want = interpret(graph, plan, inputs), got = await runPlan(device, graph, plan, inputs);
  want.forEach((w, o) => {
    w.forEach((x, i) => {
      const g = got[o]![i]!;
      if (g === x || Math.abs(g - x) <= 2e-5 * Math.max(1, Math.abs(x))) return;
      throw new RangeError(`${k.kind}, output ${o}: element ${i} is ${g}, not ${x}`);
    });
  });
}

const kinds: readonly (readonly [string, (draw: Draw) => Kernel, number])[] = [
  ["row", R.randomRow, 120],
  ["column", R.randomColumn, 80],
  ["matmul", R.randomMatmul, 25],
  ["gather", R.randomGather, 80],
  ["scatter", R.randomScatter, 80],
  ["place", R.randomPlace, 80],
];

for (const [name, make, numRuns] of kinds) {
  webgpuTest("kernels", name, async (device) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1 << 16), { minLength: 60, maxLength: 60 }),
        async (numbers) => {
          let at = 0;
          const draw = (n: number): number => (numbers[at++ % numbers.length]! + at) % n;
          await check(device, make(draw), draw);
        },
      ),
      { numRuns, seed: 11, interruptAfterTimeLimit: 100_000 },
    );
  });
}

webgpuTest("kernels", "wide and ragged columns", async (device) => {
  const leaf = (...shape: number[]): Node =>
    makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
  for (const columns of [33, 67, 132, 256, 268]) {
    const loads = [{ base: leaf(37, columns), offset: 0, strides: [columns, 1] }];
    let at = 0;
    await check(device, {
      kind: "column",
      rows: [37],
      columns,
      loads,
      combine: "sum",
      value: operand(0, "f32"),
      store: leaf(columns),
    }, (n) => (at += 7) % n);
  }
});
