/** The larger matmul kernels, which random shapes do not reach: every tile, layout and edge. */
import { assert, assertEquals } from "@std/assert";
import type { DType } from "../../core/dtype.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import type { MatmulKernel, Operand } from "../../core/plan/kernels.ts";
import { Choices, classOf } from "../../core/backends/webgpu/choices.ts";
import { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { choiceFor, choicesFor, choiceText } from "../../core/backends/webgpu/matmul.ts";
import type { Target } from "../../core/backends/webgpu/shader.ts";
import { aloneInPlan } from "./random_kernel.ts";
import { halves, runPlan, subgroups, webgpuTestOnce } from "./webgpu_device.ts";

function leaf(dtype: DType, ...shape: number[]): Node {
  return makeNode({ kind: "input", shape, dtype, inputs: [] });
}

/** A [batch, rows, columns] factor, stored with its last two axes swapped if `turned`. */
function factor(
  batch: number,
  rows: number,
  columns: number,
  turned: boolean,
  dtype: DType,
): Operand {
  const strides = [rows * columns, ...(turned ? [1, rows] : [columns, 1])];
  return { base: leaf(dtype, batch, rows, columns), offset: 0, strides };
}

function kernel(
  [batch, m, n, k]: readonly [number, number, number, number],
  layout: string,
  dtype: DType = "f32",
): MatmulKernel {
  return {
    kind: "matmul",
    batch: [batch],
    m,
    n,
    k,
    a: factor(batch, m, k, layout[0] === "T", dtype),
    b: factor(batch, k, n, layout[1] === "T", dtype),
    store: leaf("f32", batch, m, n),
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

/** Aligned and ragged, larger than most tiles. Ragged sizes reach every branch; round ones leave branches out. */
const cases: readonly (readonly [string, readonly [number, number, number, number]])[] = [
  ["NN", [2, 64, 128, 256]],
  ["NN", [1, 131, 129, 21]],
  ["NT", [3, 37, 45, 70]],
  ["NT", [1, 40, 36, 264]],
  ["TN", [3, 37, 45, 70]],
  ["TN", [1, 36, 68, 264]],
  ["TN", [1, 36, 45, 69]], // vectors along m, and a last product that is not one of four
  ["TN", [1, 36, 68, 131]],
  ["TN", [1, 132, 136, 1024]],
];

/** In short floats one of each layout. */
const withDtypes = cases.flatMap((c, i) =>
  (i % 2 ? ["f32", "f16", "bf16"] as const : ["f32"] as const).map((dtype) => [c, dtype] as const)
);

const everywhere: Target = {
  software: false,
  bindings: 8,
  scoreBytes: 0,
  bindingBytes: 2 ** 27,
  ...subgroups && { subgroups },
  ...halves,
};
const targets: readonly Target[] = [everywhere, { ...everywhere, software: true }];
/** Every member of the family that some case can have on some adapter, split or not. */
const members = new Set(
  cases.flatMap(([layout, sizes]) =>
    targets.flatMap((t) => choicesFor(kernel(sizes, layout), t).map(choiceText))
  ),
);

Deno.test("webgpu matmul: the defaults are members, and some are split", () => {
  for (const [layout, sizes] of cases) {
    for (const software of [false, true]) {
      const k = kernel(sizes, layout), target = { ...everywhere, software };
      const names = choicesFor(k, target).map(choiceText);
      assert(names.includes(choiceText(choiceFor(k, target))), `${layout} ${sizes}`);
    }
  }
  for (const kind of ["workgroup", ...subgroups ? ["subgroup"] : []]) {
    assert([...members].some((name) => name.startsWith(kind) && / in \d/.test(name)), kind);
  }
  const weight = choiceFor(kernel([1, 256, 256, 2048], "TN"), {
    software: false,
    bindings: 8,
    scoreBytes: 0,
    bindingBytes: 2 ** 27,
  });
  assert(weight.splits > 1, "a weight gradient is too small a result to fill a GPU unsplit");
});

for (const name of members) {
  webgpuTestOnce("matmul", `products by ${name}`, async (_, gpu) => {
    // The values are exact in f16 and bf16: whatever the factors are of, the products are the same.
    for (const [[layout, sizes], dtype] of withDtypes) {
      const matmul = kernel(sizes, layout, dtype), { graph, plan } = aloneInPlan(matmul);
      const target = targets.find((t) => choicesFor(matmul, t).some((c) => choiceText(c) === name));
      if (!target) continue;
      const choices = new Choices(target, new Map([[classOf(matmul), name]]));
      const device = new WebGpuDevice(gpu, "this adapter", target, choices);
      const [x, y] = graph.inputs.map((n, i) =>
        Float32Array.from({ length: sizeOf(n.shape) }, (_, j) => (j * (37 + i) % 101 - 50) / 64)
      );
      const want = product(matmul, x!, y!), [got] = await runPlan(device, graph, plan, [x!, y!]);
      const wrong = want.findIndex((w, i) => !(Math.abs(w - got![i]!) <= 1e-4));
      assertEquals(wrong, -1, `${dtype} ${layout} ${sizes}: ${got![wrong]} is not ${want[wrong]}`);
    }
  });
}
