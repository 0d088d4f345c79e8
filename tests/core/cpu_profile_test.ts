/** Times of kernels on the cpu device. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { createDevice } from "../../core/backends/cpu/device.ts";
import type { Storage } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import { leastOf } from "../least.ts";

const f32 = (...shape: number[]): Node =>
  makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });

/** Products, a map, a reduction, a place of two steps, and an output that is copied, as it is an input too. */
function graph(width: number) {
  const x = f32(width, width), w = f32(width, width);
  const h = build.compute(X.tanh, [build.matmul(x, w)]);
  const both = build.concat([h, x], 0), top = build.reduce("max", build.matmul(h, h), [0, 1]);
  return { inputs: [x, w], outputs: [both, top, w], donations: new Map<number, number>() };
}

const setups = [
  ["on the calling thread", 1, "4GiB", 250_000],
  ["on one thread that two may have", 2, "4GiB", Infinity],
  ["on two threads", 2, "4GiB", 0],
  ["on three threads, by 64-bit addresses", 3, "16GiB", 0],
] as const;
for (const [name, threads, memory, pool] of setups) {
  Deno.test(`cpu profile ${name}: every kernel in order, results as of a run`, async () => {
    const device = createDevice(threads, { thresholds: { pool, serial: 0 }, memory }), width = 96;
    const compiled = graph(width), program = device.compile(compiled);
    const inputs = compiled.inputs.map((n, i) => {
      const storage = device.allocate(sizeOf(n.shape), "f32");
      const values = Float32Array.from({ length: sizeOf(n.shape) }, (_, j) => Math.sin(i + j));
      device.write(storage, values, "f32");
      return storage;
    });
    const sizes = compiled.outputs.map((n) => sizeOf(n.shape));
    const results = (): Storage[] => sizes.map((size) => device.allocate(size, "f32"));
    const [plain, timed, again] = [results(), results(), results()];
    program.run(inputs, plain);
    const times = await program.profile!(inputs, timed), { lines } = program.explain();
    assertEquals([...new Set(times.map((t) => t.kernel))], [...lines.keys()]);
    assertLess(lines.length - 1, times.length);
    assertEquals(times[0]!.startUs, 0);
    for (const [i, { kernel, startUs, endUs }] of times.entries()) {
      assert(endUs > startUs, `kernel ${kernel} takes no time`);
      assertEquals(startUs, times[i - 1]?.endUs ?? 0, "one begins when the other ends");
    }
    // The memory grows between: the threads must write where it is now.
    const large = device.allocate(2 ** 24, "f32");
    const second = await program.profile!(inputs, again);
    assertEquals(second.map((t) => t.kernel), times.map((t) => t.kernel));
    assert(second.every((t) => t.endUs > t.startUs));
    for (const [i, size] of sizes.entries()) {
      const want = await device.read(plain[i]!, size, "f32");
      assertEquals(await device.read(timed[i]!, size, "f32"), want);
      assertEquals(await device.read(again[i]!, size, "f32"), want);
    }
    program.destroy();
    [large, ...inputs, ...plain, ...timed, ...again].forEach((s) => device.free(s));
    assertEquals(device.usage(), { bytes: 0, storages: 0 });
    device.destroy();
  });
}

Deno.test("cpu profile: a kernel that works longer has the longer time", async () => {
  const device = createDevice(1), [a, b] = [f32(8, 8), f32(384, 384)];
  const program = device.compile({
    inputs: [a, b],
    outputs: [build.matmul(a, a), build.matmul(b, b)],
    donations: new Map(),
  });
  const storages = [64, 384 * 384].map((size) => device.allocate(size, "f32"));
  const outputs = [64, 384 * 384].map((size) => device.allocate(size, "f32"));
  await program.profile!(storages, outputs);
  const { lines } = program.explain();
  const measure = async (): Promise<number> => {
    const times = await program.profile!(storages, outputs);
    const took = (start: string): number => {
      const { startUs, endUs } = times.find((t) => lines[t.kernel]!.startsWith(start))!;
      return endUs - startUs;
    };
    return took("matmul 8 x 8 x 8") / took("matmul 384 x 384 x 384");
  };
  assertLess(await leastOf(1 / 20, measure), 1 / 20);
  device.destroy();
});
