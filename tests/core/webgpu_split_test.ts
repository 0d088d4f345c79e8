/** Tensors over the binding limit, made small: what is done in parts is what is done at once. */
import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { DeviceError } from "../../core/device/error.ts";
import { scalarOf } from "../../core/dtype.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import type { Kernel } from "../../core/plan/kernels.ts";
import { evaluate } from "../../core/backends/reference/mod.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { skip } from "../skip.ts";
import { trainingStep } from "./plan_models.ts";
import { interpret } from "./plan_interpreter.ts";
import type { Draw } from "./random_graph.ts";
import * as R from "./random_kernel.ts";
import { families, familiesWithin, gpu, halves, runPlan } from "./webgpu_device.ts";

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
    Deno.test(`webgpu split: ${name} (${family} kernels)`, () =>
      body(device, families[i]!.device));
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
  ["row", R.randomRow, 120],
  ["column", R.randomColumn, 80],
  ["matmul", R.randomMatmul, 30],
  ["gather", R.randomGather, 80],
  ["scatter", R.randomScatter, 80],
  ["place", R.randomPlace, 80],
  ["row of mixed floats", (draw) => R.randomRow(draw, R.floats), 70],
  ["column of mixed floats", (draw) => R.randomColumn(draw, R.floats), 40],
  ["matmul of mixed floats", (draw) => R.randomMatmul(draw, R.floats), 15],
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
    console.log(name, tally);
    assert(tally.parts > 0 && tally.refused < numRuns / 4, JSON.stringify(tally));
  });
}
