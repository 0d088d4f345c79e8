/** Tensors over the binding limit, made small: what is done in parts is what is done at once. */
import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  type AnyTensor,
  fromArray,
  jit,
  mul,
  permute,
  read,
  relativeAttention,
  reshape,
  slice,
  sum,
} from "../../core/mod.ts";
import { DeviceError } from "../../core/device/error.ts";
import type { Graph } from "../../core/device/device.ts";
import * as build from "../../core/graph/build.ts";
import { sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import type { Kernel } from "../../core/plan/kernels.ts";
import { evaluate } from "../../core/backends/reference/mod.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { skip } from "../skip.ts";
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

/** Cases of each kind. */
const runs: Readonly<Record<R.Kind, number>> = {
  row: 60,
  column: 60,
  matmul: 12,
  gather: 60,
  scatter: 12,
  place: 60,
  "row of mixed floats": 40,
  "column of mixed floats": 40,
  "matmul of mixed floats": 8,
};

for (const [name, numRuns] of Object.entries(runs) as [R.Kind, number][]) {
  splitTest(1024, `${name}, any view`, async (device) => {
    const tally = { parts: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1 << 16), { minLength: 60, maxLength: 60 }),
        async (numbers) => {
          let at = 0;
          const draw = (n: number): number => (numbers[at++ % numbers.length]! + at) % n;
          await check(device, R.kinds[name](draw), draw, tally);
        },
      ),
      { numRuns, seed: 11, interruptAfterTimeLimit: 100_000 },
    );
    assert(tally.parts > 0 && tally.refused < numRuns / 4, JSON.stringify(tally));
  });
}

const drawn = (shape: readonly number[]): AnyTensor =>
  fromArray(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + 7.3 * i)),
    shape as number[],
  );

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
  const x = input(60, 90), y = input(90, 60), z = input(60, 90), turned = build.transpose(x);
  const outputs = [
    sumLast(build.mul(turned, y)),
    softmax(build.add(turned, y)),
    sumLast(build.mul(turned, build.transpose(z))),
  ];
  const graph = { inputs: [x, y, z], outputs, donations: new Map() };
  const plan = makePlan(graph, { bindings: 8, fuse: true }), inputs = valuesOf(graph, 1);
  const got = await runPlan(device, graph, plan, inputs), want = evaluate(graph, inputs);
  got.forEach((g, i) => assertClose(g, want[i]!, 2e-5, `output ${i}`));
});

splitTest(
  3 * 2 ** 12,
  "attention is its composite where it cannot bind its operands",
  async (device, whole) => {
    // In one buffer of 24 KiB q, k and v, of 8 KiB each, are spread over most of it.
    const [B, T, H, K] = [2, 32, 2, 16], x = drawn([B, T, 3, H, K]);
    const attend = (x: AnyTensor): AnyTensor => {
      const [q, k, v] = [0, 1, 2].map((part) =>
        permute(reshape(slice(x, 2, part, part + 1), [B, T, H, K]), [0, 2, 1, 3])
      ) as [AnyTensor, AnyTensor, AnyTensor];
      return relativeAttention(q, k, v, { scale: 0.25 }).out as AnyTensor;
    };
    const [split, free] = [device, whole].map((d) => jit(attend, { device: d }));
    const { composed, lines } = split!.explain(x);
    assertEquals(composed, [
      "attention [2, 2, 32, 16], 0 rows by its composite: it needs 23.9 KiB of f32 [2, 32, 3, 2, 16] at once, and a shader binds at most 12.0 KiB of a buffer",
    ]);
    assertLess(0, slicesIn(lines));
    assertEquals(free!.explain(x).composed, []);
    assertClose(await read(split!(x)), await read(free!(x)), 2e-6, "attention");
  },
);

/** Binding limits up to which a test has a tensor over the limit: it takes a few times as much memory. */
const testedBytes = 2 ** 28;

async function overOwnLimit(_: WebGpuDevice, gpu: GPUDevice): Promise<void> {
  const limit = gpu.limits.maxStorageBufferBindingSize;
  const [device] = familiesWithin(limit), C = 1024, R = Math.ceil(1.2 * limit / 4 / C);
  const values = Float32Array.from({ length: R * C }, (_, i) => (i % 1000) / 1000 - 0.5);
  const x = fromArray(values, [R, C]) as AnyTensor;
  const f = jit((a: AnyTensor) => {
    const y = mul(a, a);
    return { last: slice(y, 0, R - 1, R), columns: sum(a, 0), rows: sum(y, 1), y };
  }, { device: device!.device });
  assertLess(1, slicesIn(f.explain(x).lines));
  const { last, columns, rows } = f(x);
  const got = await Promise.all([last, columns, rows].map((t) => read(t as AnyTensor)));
  const down = new Float64Array(C), across = new Float64Array(R);
  values.forEach((v, i) => {
    down[i % C]! += v;
    across[Math.floor(i / C)]! += v * v;
  });
  [values.slice(-C).map((v) => v * v), down, across].forEach((want, i) =>
    assertClose(got[i]!, want, 1e-3, `result ${i}`)
  );
}

// The tests above run the same code under limits of their own.
if (gpu && gpu.limits.maxStorageBufferBindingSize > testedBytes) {
  skip("tensors over the adapter's own limit", "it binds more than a test should fill");
} else webgpuTestOnce("split", "a tensor over the adapter's own limit", overOwnLimit);

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
