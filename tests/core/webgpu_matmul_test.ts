/** The larger matmul kernels, which random shapes do not reach: every tile, layout and edge. */
import { assertEquals } from "@std/assert";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import type { MatmulKernel, Operand } from "../../core/plan/kernels.ts";
import { tileFor, tiles } from "../../core/backends/webgpu/matmul_tiles.ts";
import { aloneInPlan } from "./random_kernel.ts";
import { runPlan, webgpuTest } from "./webgpu_device.ts";

function leaf(...shape: number[]): Node {
  return makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
}

/** A [batch, rows, columns] factor, stored with its last two axes swapped if `turned`. */
function factor(batch: number, rows: number, columns: number, turned: boolean): Operand {
  const strides = [rows * columns, ...(turned ? [1, rows] : [columns, 1])];
  return { base: leaf(batch, rows, columns), offset: 0, strides };
}

function kernel(
  [batch, m, n, k]: readonly [number, number, number, number],
  layout: string,
): MatmulKernel {
  return {
    kind: "matmul",
    batch: [batch],
    m,
    n,
    k,
    a: factor(batch, m, k, layout[0] === "T"),
    b: factor(batch, k, n, layout[1] === "T"),
    store: leaf(batch, m, n),
  };
}

function product({ batch, m, n, k, a, b }: MatmulKernel, x: Float32Array, y: Float32Array) {
  const out = new Float32Array(batch[0]! * m * n);
  out.forEach((_, at) => {
    const g = Math.floor(at / (m * n)), i = Math.floor(at / n) % m, j = at % n;
    let sum = 0;
    for (let p = 0; p < k; p++) {
      sum += x[g * a.strides[0]! + i * a.strides[1]! + p * a.strides[2]!]! *
        y[g * b.strides[0]! + p * b.strides[1]! + j * b.strides[2]!]!;
    }
    out[at] = sum;
  });
  return out;
}

/** Aligned and ragged, and large enough for the largest tile of either family. */
const cases: readonly (readonly [string, readonly [number, number, number, number]])[] = [
  ["128x128x16", [32, 256, 132, 32]],
  ["128x128x16", [32, 131, 129, 21]],
  ["64x64x16", [64, 64, 128, 48]],
  ["64x64x16", [64, 65, 61, 19]],
  ["32x32x16", [1, 64, 32, 16]],
  ["32x32x16", [3, 37, 29, 70]],
];

Deno.test("webgpu matmul: the cases reach every tile", () => {
  for (const [name, sizes] of cases) {
    const { m, n, k } = tileFor(kernel(sizes, "NN"));
    assertEquals(`${m}x${n}x${k}`, name);
  }
  assertEquals(new Set(cases.map(([name]) => name)).size, tiles.length);
});

// Ragged sizes reach every branch of a layout; round ones only leave branches out.
for (const layout of ["NN", "NT", "TN"]) {
  webgpuTest("matmul", `tiles of ${layout}`, async (device) => {
    for (const [, sizes] of cases.filter((_, i) => layout === "NN" || i % 2)) {
      const matmul = kernel(sizes, layout), { graph, plan } = aloneInPlan(matmul);
      const [x, y] = graph.inputs.map((n, i) =>
        Float32Array.from({ length: sizeOf(n.shape) }, (_, j) => (j * (37 + i) % 101 - 50) / 64)
      );
      const want = product(matmul, x!, y!), [got] = await runPlan(device, graph, plan, [x!, y!]);
      const wrong = want.findIndex((w, i) => !(Math.abs(w - got![i]!) <= 1e-4));
      assertEquals(wrong, -1, `${sizes}: ${got![wrong]} is not ${want[wrong]}`);
    }
  });
}
