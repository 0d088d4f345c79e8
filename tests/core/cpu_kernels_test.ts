/** Every kind of kernel in WebAssembly against plain loops: random shapes, views and dtypes, one thread and three, both kinds of memory. */
import fc from "npm:fast-check@4.10.2";
import { assertEquals } from "@std/assert";
import { createDevice } from "../../core/backends/cpu/device.ts";
import type { CpuDevice } from "../../core/backends/cpu/device.ts";
import { type DType, fromHost, type HostArray, toHost } from "../../core/dtype.ts";
import { sizeOf } from "../../core/graph/node.ts";
import type { Kernel } from "../../core/plan/kernels.ts";
import { interpret } from "./plan_interpreter.ts";
import type { Draw } from "./random_graph.ts";
import * as R from "./random_kernel.ts";

const alone = createDevice(1);
/** Everything on the pool, every kernel split. */
const thresholds = { pool: 0, serial: 0 };
const others = [
  ["three threads", createDevice(3, { thresholds })],
  ["64-bit addresses", createDevice(1, { memory: "16GiB" })],
  ["three threads with 64-bit addresses", createDevice(3, { thresholds, memory: "16GiB" })],
] as const;

async function run(
  device: CpuDevice,
  k: Kernel,
  inputs: readonly Float64Array[],
): Promise<HostArray[]> {
  const { graph, plan } = R.aloneInPlan(k);
  const program = device.compilePlan(plan, 0);
  const place = (size: number, dtype: DType) => device.allocate(size, dtype);
  const from = graph.inputs.map((n, i) => {
    const storage = place(sizeOf(n.shape), n.dtype);
    device.write(storage, toHost(inputs[i]!, n.dtype), n.dtype);
    return storage;
  });
  const to = graph.outputs.map((n) => place(sizeOf(n.shape), n.dtype));
  program.run(from, to);
  const out = await Promise.all(
    graph.outputs.map((n, i) => device.read(to[i]!, sizeOf(n.shape), n.dtype)),
  );
  [...from, ...to].forEach((s) => device.free(s));
  program.destroy();
  return out;
}

async function check(k: Kernel, draw: Draw): Promise<void> {
  const { graph, plan } = R.aloneInPlan(k);
  const inputs = graph.inputs.map((n) => R.someValues(draw, n));
  const want = interpret(graph, plan, inputs), got = await run(alone, k, inputs);
  for (const [name, device] of others) {
    assertEquals(await run(device, k, inputs), got, `${name} give the bits of one thread`);
  }
  want.forEach((w, o) => {
    const values = fromHost(got[o]!, graph.outputs[o]!.dtype);
    w.forEach((x, i) => {
      const g = values[i]!;
      if (Object.is(g, x) || Math.abs(g - x) <= 2e-5 * Math.max(1, Math.abs(x))) return;
      throw new RangeError(`${k.kind}, output ${o}: element ${i} is ${g}, not ${x}`);
    });
  });
}

const kinds: readonly (readonly [string, (draw: Draw) => Kernel])[] = [
  ["row", R.randomRow],
  ["row with sums", R.randomSums],
  ["column", R.randomColumn],
  ["matmul", R.randomMatmul],
  ["gather", R.randomGather],
  ["scatter", R.randomScatter],
  ["place", R.randomPlace],
];

for (const [name, make] of kinds) {
  Deno.test(`cpu kernels: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1 << 16), { minLength: 60, maxLength: 60 }),
        async (numbers) => {
          let at = 0;
          const draw = (n: number): number => (numbers[at++ % numbers.length]! + at) % n;
          await check(make(draw), draw);
        },
      ),
      { numRuns: 150, seed: 11, interruptAfterTimeLimit: 60_000 },
    );
  });
}
