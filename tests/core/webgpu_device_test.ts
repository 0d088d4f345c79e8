/** The WebGPU device: memory, order, limits, and what it says when something goes wrong. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { hostArray, toHost } from "../../core/dtype.ts";
import { DeviceError } from "../../core/device/error.ts";
import { openDevice } from "../../core/device/open.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode } from "../../core/graph/node.ts";
import { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { faultsOf } from "../../core/backends/webgpu/faults.ts";
import { webgpu } from "../../core/backends/webgpu/mod.ts";
import { pipelineCache } from "../../core/backends/webgpu/pipelines.ts";
import { collectGarbage } from "../collect_garbage.ts";
import { webgpuTestOnce } from "./webgpu_device.ts";

const suite = "device";
const f32 = (...shape: number[]) => makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });

webgpuTestOnce(suite, "every dtype comes back as it was written", async (device) => {
  for (const dtype of ["f32", "f16", "bf16", "i32", "u32", "bool"] as const) {
    for (const size of [0, 1, 5, 1000]) {
      const data = toHost(Array.from({ length: size }, (_, i) => i % 3 - (i % 2)), dtype);
      const s = device.allocate(size, dtype);
      device.write(s, data, dtype);
      assertEquals(await device.read(s, size, dtype), data, `${dtype} of ${size}`);
      device.free(s);
    }
  }
  const bits = new Float32Array(Uint32Array.of(0x7f800001, 0x7fc12345, 0xffffffff, 1).buffer);
  const s = device.allocate(4, "f32");
  device.write(s, bits, "f32");
  const back = await device.read(s, 4, "f32");
  assertEquals(new Uint32Array(back.buffer), new Uint32Array(bits.buffer), "NaN keeps its bits");
  device.free(s);
});

webgpuTestOnce(
  suite,
  "reads see what was queued before them, not what comes after",
  async (device) => {
    const s = device.allocate(4, "f32");
    const reads: Promise<ArrayLike<number>>[] = [];
    for (let i = 0; i < 8; i++) {
      device.write(s, new Float32Array(4).fill(i), "f32");
      reads.push(device.read(s, 4, "f32"));
    }
    device.free(s);
    const again = device.allocate(4, "f32");
    device.write(again, new Float32Array(4).fill(99), "f32");
    assertEquals((await Promise.all(reads)).map((r) => r[0]), [0, 1, 2, 3, 4, 5, 6, 7]);
    device.free(again);
  },
);

webgpuTestOnce(suite, "memory freed under queued work is not reused too early", async (device) => {
  const x = f32(1 << 16);
  const graph = {
    inputs: [x],
    outputs: [build.compute((a) => X.add(X.tanh(a), 1), [x])],
    donations: new Map(),
  };
  const program = device.compile(graph), results = [];
  for (let i = 0; i < 12; i++) {
    const a = device.allocate(1 << 16, "f32"), b = device.allocate(1 << 16, "f32");
    device.write(a, new Float32Array(1 << 16).fill(i), "f32");
    program.run([a], [b]);
    results.push(device.read(b, 1 << 16, "f32"));
    device.free(a);
    device.free(b);
  }
  (await Promise.all(results)).forEach((r, i) => {
    assert(r.every((v) => Math.abs(v - Math.tanh(i) - 1) < 1e-6), `run ${i}`);
  });
  program.destroy();
});

webgpuTestOnce(suite, "usage counts what is allocated and not freed", (device) => {
  const before = device.usage(), s = device.allocate(1000, "f32"), t = device.allocate(1, "i32");
  const during = device.usage();
  assertEquals(during.storages, before.storages + 2);
  assert(during.bytes - before.bytes >= 4004 && during.bytes - before.bytes < 4100);
  [s, t, t].forEach((x) => device.free(x));
  assertEquals(device.usage(), before);
  return Promise.resolve();
});

webgpuTestOnce(suite, "memory stays flat over 2,000 runs", async (device) => {
  const x = f32(64, 64), w = f32(64, 64);
  const h = build.compute(X.tanh, [build.product(x, w)]);
  const graph = { inputs: [x, w], outputs: [build.reduce("sum", h, [0, 1])], donations: new Map() };
  const program = device.compile(graph), fixed = device.allocate(4096, "f32");
  device.write(fixed, new Float32Array(4096).fill(0.01), "f32");
  const before = device.usage();
  const step = (): void => {
    const a = device.allocate(4096, "f32"), out = device.allocate(1, "f32");
    device.write(a, new Float32Array(4096).fill(0.5), "f32");
    program.run([a, fixed], [out]);
    device.free(a);
    device.free(out);
  };
  const resident: number[] = [];
  for (let i = 1; i <= 2000; i++) {
    step();
    if (i % 20 === 0) await device.synchronize();
    if (i >= 400 && i % 100 === 0) {
      collectGarbage();
      resident.push(Deno.memoryUsage().rss);
    }
  }
  assertEquals(device.usage(), before);
  // Finalisers of encoders come in later turns than their collection: compare the least of the ends.
  const early = Math.min(...resident.slice(0, 5)), late = Math.min(...resident.slice(-5));
  assert(late < early * 1.05, `resident ${early} bytes after 400 runs, ${late} after 2,000`);
  program.destroy();
  device.free(fixed);
});

webgpuTestOnce(suite, "more workgroups than one dimension holds", async (device) => {
  const size = 65535 * 64 + 77, x = f32(size);
  const graph = {
    inputs: [x],
    outputs: [build.compute((a) => X.add(a, 1), [x])],
    donations: new Map(),
  };
  const program = device.compile(graph), s = device.allocate(size, "f32");
  device.write(s, Float32Array.from({ length: size }, (_, i) => i % 1000), "f32");
  const out = device.allocate(size, "f32");
  program.run([s], [out]);
  const got = await device.read(out, size, "f32");
  assertEquals(got.findIndex((v, i) => v !== i % 1000 + 1), -1);
  program.destroy();
  [s, out].forEach((b) => device.free(b));
});

webgpuTestOnce(suite, "programs share scratch, and one may go before the other", async (device) => {
  const programs = [3, 5].map((factor) => {
    const x = f32(32, 32);
    const h = build.product(x, x);
    const outputs = [build.product(build.compute((a) => X.mul(a, factor), [h]), x)];
    return device.compile({ inputs: [x], outputs, donations: new Map() });
  });
  const x = device.allocate(1024, "f32"), outs = [0, 1].map(() => device.allocate(1024, "f32"));
  device.write(x, new Float32Array(1024).fill(1 / 32), "f32");
  const run = (i: number) => programs[i]!.run([x], [outs[i]!]);
  [0, 1, 0, 1].forEach(run);
  programs[0]!.destroy();
  run(1);
  const [first, second] = await Promise.all(outs.map((o) => device.read(o, 1024, "f32")));
  assert(Math.abs(first![0]! - 3 / 32) < 1e-6 && Math.abs(second![9]! - 5 / 32) < 1e-6);
  assertThrows(() => run(0), TypeError, "destroyed");
  programs[1]!.destroy();
  [x, ...outs].forEach((s) => device.free(s));
});

webgpuTestOnce(suite, "explains its kernels", (device) => {
  const x = f32(8, 16),
    graph = {
      inputs: [x],
      outputs: [build.product(x, build.transpose(x))],
      donations: new Map(),
    };
  const program = device.compile(graph), { kernels, lines } = program.explain();
  assertEquals(kernels, 1);
  assertStringIncludes(lines[0]!, "matmul 8 x 16 x 8: reads 1, writes f32 [8, 8]");
  program.destroy();
  return Promise.resolve();
});

webgpuTestOnce(suite, "a tensor over the device's limit is refused in words", (device) => {
  const error = assertThrows(() => device.allocate(2 ** 31, "f32"), DeviceError);
  assertEquals(error.failure, "limit");
  assertStringIncludes(error.message, "Cannot put a tensor of 2147483648 elements on");
  return Promise.resolve();
});

webgpuTestOnce(suite, "a shader that is refused is named at the next wait", async (device, gpu) => {
  const faults = faultsOf(gpu, "this adapter");
  pipelineCache(gpu, faults)({
    code: "fn main() -> {}",
    slots: [],
    writes: [],
    groups: [1, 1, 1],
    style: "",
  }, "the broken kernel");
  await Promise.all(faults.waiting);
  const [error] = faults.failed;
  assertEquals(error?.failure, "program");
  assertStringIncludes(error!.message, "Cannot run the broken kernel on this adapter");
  await device.synchronize();
});

webgpuTestOnce(
  suite,
  "an error of the queue rejects one wait, and the next is clean",
  async (device, gpu) => {
    const buffer = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, buffer, 0, 16);
    gpu.queue.submit([encoder.finish()]);
    const error = await assertRejects(() => device.synchronize(), DeviceError);
    assertEquals(error.failure, "program");
    await device.synchronize();
    buffer.destroy();
  },
);

// As tests/run.ts has it, which says why.
if (Deno.build.os === "linux" && Deno.env.get("DENO_WEBGPU_BACKEND") === "vulkan") {
  webgpuTestOnce(suite, "with Vulkan alone, no library of OpenGL is loaded", async () => {
    // Another process reads it: what lies under /proc takes all permissions, which the runner does not give.
    const cat = new Deno.Command("cat", { args: [`/proc/${Deno.pid}/maps`] });
    const maps = new TextDecoder().decode((await cat.output()).stdout);
    assertStringIncludes(maps, "libvulkan");
    assertEquals(maps.match(/lib(EGL|GLdispatch)\b.*/g), null);
  });
}

Deno.test("webgpu device: a software adapter is refused unless forced, and the message says what to do", async () => {
  const error = await webgpu().then((device) => device, (e: unknown) => e);
  if (error instanceof WebGpuDevice) return error.destroy();
  assert(error instanceof DeviceError && error.failure === "absent");
  assertStringIncludes(error.message, "use the cpu device");
});

webgpuTestOnce(suite, "opens by name, and a device that was destroyed says so", async () => {
  const device = await openDevice("webgpu");
  assertEquals(device.kind, "webgpu");
  device.destroy();
  // The runtime tells of it in a later turn.
  let error: unknown;
  for (let n = 0; n < 1000 && error === undefined; n++) {
    await new Promise((done) => setTimeout(done, 10));
    try {
      device.allocate(4, "f32");
    } catch (thrown) {
      error = thrown;
    }
  }
  assert(error instanceof DeviceError, String(error));
  assertEquals(error.failure, "lost");
  assertEquals((await openDevice("reference")).kind, "reference");
});

Deno.test("webgpu device: auto takes a real GPU, else the CPU", async () => {
  const device = await openDevice("auto");
  const real = await webgpu().then((d) => (d.destroy(), true), () => false);
  assertEquals(device.kind, real ? "webgpu" : "cpu");
  assertEquals(hostArray("f32", 1).length, 1);
});
