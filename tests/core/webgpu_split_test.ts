/** Tensors over the binding limit, made small: what is done in parts is what is done at once. */
import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { grad, jit } from "../../core/mod.ts";
import { DeviceError } from "../../core/device/error.ts";
import type { Graph } from "../../core/device/device.ts";
import * as build from "../../core/graph/build.ts";
import { sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import type { Kernel } from "../../core/plan/kernels.ts";
import { evaluate } from "../../core/backends/reference/mod.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { skip } from "../skip.ts";
import { gradients, loss, operands } from "./attention_case.ts";
import { input, softmax, sumLast, trainingStep } from "./plan_models.ts";
import { interpret } from "./plan_interpreter.ts";
import type { Draw } from "./random_graph.ts";
import * as R from "./random_kernel.ts";
import { families, familiesWithin, gpu, runPlan, webgpuTestOnce } from "./webgpu_device.ts";

const tolerances: Readonly<Record<string, number>> = { f16: 2 ** -9.9, bf16: 2 ** -6.9 };

/** Registers a test for each family of kernels on a device that binds so little. */
function splitTest(
  bindingBytes: number,
  name: string,
  body: (device: WebGpuDevice, whole: WebGpuDevice) => Promise<void>,
): void {
  if (!gpu) {
    skip("webgpu split", "no WebGPU adapter, not even a software one");
    return;
  }
  familiesWithin(bindingBytes).forEach(({ name: family, device }, i) => {
    Deno.test(`webgpu split: ${name} (${family} kernels)`, () => body(device, families[i]!.device));
  });
}

function assertClose(got: ArrayLike<number>, want: ArrayLike<number>, t: number, what: string) {
  Array.from(want).forEach((w, i) => {
    const g = got[i]!;
    if (g === w || Math.abs(g - w) <= t * Math.max(1, Math.abs(w))) return;
    throw new RangeError(`${what}: element ${i} is ${g}, not ${w}`);
  });
}

/** How many kernels of a kind were made in parts, and how many were refused. */
interface Tally {
  parts: number;
  refused: number;
}

async function check(device: WebGpuDevice, k: Kernel, draw: Draw, tally: Tally): Promise<void> {
  const { graph, plan } = R.aloneInPlan(k);
  try {
    const program = device.compilePlan(plan);
    if (program.explain().lines[0]!.includes(" slices;")) tally.parts++;
    program.destroy();
  } catch (error) {
    assert(error instanceof DeviceError && error.failure === "limit", String(error));
    tally.refused++;
    return;
  }
  const inputs = graph.inputs.map((n) => R.someValues(draw, n));
  const want = interpret(graph, plan, inputs), got = await runPlan(device, graph, plan, inputs);
  want.forEach((w, o) => {
    const tolerance = tolerances[graph.outputs[o]!.dtype] ?? 2e-5;
    assertClose(got[o]!, w, tolerance, `${k.kind}, output ${o}`);
  });
}

const kinds: readonly (readonly [string, (draw: Draw) => Kernel, number])[] = [
  ["row", R.randomRow, 60],
  ["column", R.randomColumn, 60],
  ["matmul", R.randomMatmul, 12],
  ["gather", R.randomGather, 60],
  ["scatter", R.randomScatter, 12],
  ["place", R.randomPlace, 60],
  ["row of mixed floats", (draw) => R.randomRow(draw, R.floats), 40],
  ["column of mixed floats", (draw) => R.randomColumn(draw, R.floats), 40],
  ["matmul of mixed floats", (draw) => R.randomMatmul(draw, R.floats), 8],
];

for (const [name, make, numRuns] of kinds) {
  splitTest(1024, `${name}, any view`, async (device) => {
    const tally = { parts: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1 << 16), { minLength: 60, maxLength: 60 }),
        async (numbers) => {
          let at = 0;
          const draw = (n: number): number => (numbers[at++ % numbers.length]! + at) % n;
          await check(device, make(draw), draw, tally);
        },
      ),
      { numRuns, seed: 11, interruptAfterTimeLimit: 100_000 },
    );
    assert(tally.parts > 0 && tally.refused < numRuns / 4, JSON.stringify(tally));
  });
}

/** Values of the inputs of a graph; ids are below `ids`. */
function valuesOf(graph: Graph, ids: number): (Float32Array | Int32Array)[] {
  return graph.inputs.map(({ shape, dtype }, n) => {
    const length = sizeOf(shape);
    return dtype === "i32"
      ? Int32Array.from({ length }, (_, i) => (7 * i + n) % ids)
      : Float32Array.from({ length }, (_, i) => 0.1 * Math.sin(1 + 7.3 * i + n));
  });
}

const slicesIn = (lines: readonly string[]): number =>
  lines.filter((l) => / slices;/.test(l)).length;

splitTest(2 ** 15, "a training step with clipping and LAMB", async (device, whole) => {
  const graph = trainingStep({ B: 4, T: 16, C: 64, V: 200, heads: 4, layers: 1 });
  const plan = makePlan(graph, { bindings: 8, fuse: true }), inputs = valuesOf(graph, 200);
  // The moments of squares are positive.
  const state = graph.donations.size / 3;
  const given = inputs.map((x, i) =>
    i >= state && i < 3 * state && (i - state) % 2 ? x.map(Math.abs) : x
  );
  const program = device.compilePlan(plan);
  assertLess(20, slicesIn(program.explain().lines));
  program.destroy();
  const got = await runPlan(device, graph, plan, given);
  const unsplit = await runPlan(whole, graph, plan, given), want = evaluate(graph, given);
  got.forEach((g, i) => {
    assertClose(g, unsplit[i]!, 2e-5, `output ${i} against the unsplit step`);
    assertClose(g, want[i]!, 2e-4, `output ${i} against the reference`);
  });
});

splitTest(2048, "rows of a transposed table are reduced", async (device) => {
  const x = input(60, 90), y = input(90, 60), turned = build.transpose(x);
  const outputs = [sumLast(build.mul(turned, y)), softmax(build.add(turned, y))];
  const graph = { inputs: [x, y], outputs, donations: new Map() };
  const plan = makePlan(graph, { bindings: 8, fuse: true }), inputs = valuesOf(graph, 1);
  const got = await runPlan(device, graph, plan, inputs), want = evaluate(graph, inputs);
  got.forEach((g, i) => assertClose(g, want[i]!, 2e-5, `output ${i}`));
});

splitTest(
  2 ** 13,
  "attention is its composite where it cannot bind its operands",
  async (device) => {
    // 8 KiB of q, k and v each: the kernel's own buffers would be larger. In one of 24 KiB each is spread over most of it.
    const o = operands({ B: 2, T: 32, H: 2, K: 16, terms: [] });
    const { composed, lines } = jit(grad(loss(o, 0, false)), { device }).explain(o.smooth);
    assertEquals(lines.filter((l) => l.startsWith("attention")), []);
    assertLess(0, composed.length);
    const kernel = await gradients(loss(o, 0, false), o, device);
    const composite = await gradients(loss(o, 0, true), o, families[0]!.device);
    kernel.forEach((g, n) => assertClose(g, composite[n]!, 2e-5, `gradient ${n}`));
  },
);

webgpuTestOnce("split", "a tensor of more than a buffer's bytes is refused", (device, gpu) => {
  const size = gpu.limits.maxBufferSize / 4 + 4;
  const { failure } = assertThrows(
    () => device.allocate(size, "f32"),
    DeviceError,
    `its buffers have at most ${gpu.limits.maxBufferSize} bytes; split it or take a smaller batch`,
  );
  assertEquals(failure, "limit");
  return Promise.resolve();
});
