/** GPU times of kernels. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DeviceError } from "../../core/device/error.ts";
import { faultsOf } from "../../core/backends/webgpu/faults.ts";
import { timestamps } from "../../core/backends/webgpu/timestamps.ts";
import * as X from "../../core/expr/expr.ts";
import { map, matmul, reduce } from "../../core/graph/build.ts";
import { makeNode } from "../../core/graph/node.ts";
import { skip } from "../skip.ts";
import { gpu, webgpuTest } from "./webgpu_device.ts";

if (gpu && !gpu.features.has("timestamp-query")) skip("webgpu profile", "the adapter has no clock");
else {
  webgpuTest(
    "profile",
    "every kernel has a time, in order, and the results are right",
    async (device) => {
      const f32 = (...shape: number[]) =>
        makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
      const inputs = [f32(64, 48), f32(48, 32)], c = matmul(inputs[0]!, inputs[1]!);
      const top = reduce("max", c, [0, 1]);
      const doubled = map(X.add(X.operand(0, "f32"), X.operand(0, "f32")), [c]);
      const graph = { inputs, outputs: [top, doubled], donations: new Map() };
      const program = device.compile(graph),
        storages = [64 * 48, 48 * 32].map((size) => {
          const s = device.allocate(size, "f32");
          device.write(s, new Float32Array(size).fill(0.5), "f32");
          return s;
        });
      const outputs = [device.allocate(1, "f32"), device.allocate(64 * 32, "f32")];
      const times = await program.profile!(storages, outputs), { lines } = program.explain();
      assertEquals([...new Set(times.map((t) => t.kernel))], [...lines.keys()]);
      assertEquals(times[0]!.startUs, 0);
      for (const [i, t] of times.entries()) {
        assert(t.endUs >= t.startUs, `kernel ${t.kernel} ends before it begins`);
        assert(t.startUs >= (times[i - 1]?.startUs ?? 0), `kernel ${t.kernel} is out of order`);
      }
      assert(times.at(-1)!.endUs > 0);
      assertEquals((await device.read(outputs[0]!, 1, "f32"))[0], 12);
      assert((await device.read(outputs[1]!, 64 * 32, "f32")).every((x) => x === 24));
      program.destroy();
      [...storages, ...outputs].forEach((s) => device.free(s));
    },
  );
}

const real = gpu;
if (real) {
  Deno.test("webgpu profile: an adapter without a clock is refused in words", async () => {
    const bare = { features: new Set<string>() } as unknown as GPUDevice;
    await assertRejects(
      () => Promise.resolve().then(() => timestamps(bare, faultsOf(real, "it"), 1)),
      DeviceError,
      "Cannot profile on it: it lacks the feature timestamp-query",
    );
  });
}
