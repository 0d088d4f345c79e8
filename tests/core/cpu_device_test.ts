/** The cpu device as a whole: queued programs, memory over many runs, an event loop that goes on, a process that ends. */
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { barrierFunction } from "../../core/backends/cpu/barrier.ts";
import { call, encoded, encodeModule, get, I32, when } from "../../core/backends/cpu/encoder.ts";
import { createHeap, type Heap } from "../../core/backends/cpu/memory.ts";
import { atomicsOf, pointersOf } from "../../core/backends/cpu/pointers.ts";
import { createPool, workerThreads } from "../../core/backends/cpu/pool.ts";
import { DeviceError } from "../../core/device/error.ts";
import { createDevice } from "../../core/backends/cpu/device.ts";
import { assemble } from "../../core/backends/cpu/program.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import type { Device, Storage } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import { leastOf } from "../least.ts";

const input = (...shape: number[]): Node =>
  makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
const root = new URL("../../", import.meta.url);

function put(device: Device, values: ArrayLike<number>): Storage {
  const storage = device.allocate(values.length, "f32");
  device.write(storage, Float32Array.from(values), "f32");
  return storage;
}
function numbers(n: number, seed = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7));
}

/** A step of a tiny network, and one of a size that the pool takes. */
function step(width: number): { inputs: Node[]; outputs: Node[] } {
  const x = input(width, width), w = input(width, width), b = input(width);
  const h = build.compute(X.tanh, [build.add(build.matmul(x, w), b)]);
  const gradient = build.matmul(
    build.transpose(x),
    build.compute((v) => X.sub(1, X.mul(v, v)), [h]),
  );
  const next = build.compute((p, g) => X.sub(p, X.mul(g, 1e-3)), [w, gradient]);
  return { inputs: [x, w, b], outputs: [next, build.reduce("sum", h, [0, 1])] };
}

Deno.test("cpu device: one, two and three threads give the same bits", async () => {
  const results = [];
  for (const [threads, memory] of [[1, "4GiB"], [2, "4GiB"], [3, "4GiB"], [2, "16GiB"]] as const) {
    const device = createDevice(threads, { thresholds: { pool: 0, serial: 0 }, memory });
    const { inputs, outputs } = step(70);
    const program = device.compile({ inputs, outputs, donations: new Map([[0, 1]]) });
    const [x, w, b] = inputs.map((n, i) => put(device, numbers(sizeOf(n.shape), i))) as [
      Storage,
      Storage,
      Storage,
    ];
    const sum = device.allocate(1, "f32");
    for (let i = 0; i < 20; i++) program.run([x, w, b], [w, sum]);
    results.push([await device.read(w, 4900, "f32"), await device.read(sum, 1, "f32")]);
    device.destroy();
  }
  assertEquals(results[1], results[0]);
  assertEquals(results[2], results[0]);
  assertEquals(results[3], results[0], "64-bit addresses change nothing");
});

for (
  const [name, device] of [
    ["here", createDevice(1)],
    ["on the pool", createDevice(2, { thresholds: { pool: 0, serial: 0 } })],
    [
      "on the pool with 64-bit addresses",
      createDevice(2, { thresholds: { pool: 0, serial: 0 }, memory: "16GiB" }),
    ],
  ] as const
) {
  Deno.test(`cpu device: memory stays flat over 2,000 runs ${name}`, async () => {
    const { inputs, outputs } = step(24);
    const program = device.compile({ inputs, outputs, donations: new Map() });
    const x = put(device, numbers(576)), b = put(device, numbers(24));
    let w = put(device, numbers(576, 5));
    const before = device.usage(), memory: number[] = [];
    for (let i = 0; i < 2000; i++) {
      const next = device.allocate(576, "f32"), sum = device.allocate(1, "f32");
      program.run([x, w, b], [next, sum]);
      device.free(w);
      device.free(sum);
      w = next;
      // At most 32 runs are queued, and their storages are what memory holds at most.
      if (i % 8 === 0) await device.synchronize();
      if (i === 200 || i === 1999) memory.push(device.memoryBytes());
    }
    assertEquals(device.usage(), before);
    assertEquals(memory[1], memory[0]);
    assert((await device.read(w, 576, "f32")).every(Number.isFinite));
  });
}

Deno.test("cpu device: a storage freed while programs use it keeps its contents for them", async () => {
  const device = createDevice(2, { thresholds: { pool: 0, serial: 0 } });
  const x = input(400, 400), y = build.matmul(x, x);
  const program = device.compile({ inputs: [x], outputs: [y], donations: new Map() });
  const a = put(device, new Float32Array(160_000).fill(1 / 20)),
    first = device.allocate(160_000, "f32");
  const last = device.allocate(160_000, "f32");
  program.run([a], [first]);
  program.run([first], [last]);
  device.free(a);
  device.free(first);
  // New storages must not stand where the queued programs still read.
  const others = [1, 2, 3].map(() => put(device, new Float32Array(160_000).fill(7)));
  const read = device.read(last, 160_000, "f32");
  device.free(last);
  const values = await read;
  assert(values.every((v) => Math.abs(v - 400) < 1e-2), `${values[0]}`);
  others.forEach((s) => device.free(s));
  assertEquals(device.usage(), { bytes: 0, storages: 0 });
  device.destroy();
});

Deno.test("cpu device: programs work on storages, scratch and tables beyond 4 GiB", async () => {
  const half = 400 * 400, results = [];
  for (const [threads, room] of [[1, 0], [1, 5], [2, 5]] as const) {
    const device = createDevice(threads, { thresholds: { pool: 0, serial: 0 }, memory: "16GiB" });
    // Never touched, so no page of it is taken.
    const below = Array.from({ length: room }, () => device.allocate(2 ** 28, "f32"));
    const { inputs, outputs } = step(400);
    const program = device.compile({ inputs, outputs, donations: new Map([[0, 1]]) });
    assert(program.explain().scratchBytes > 0);
    const x = put(device, numbers(half)), w = put(device, numbers(half, 2));
    const b = put(device, numbers(400)), sum = device.allocate(1, "f32");
    program.run([x, w, b], [w, sum]);
    program.run([x, w, b], [w, sum]);
    assert(device.memoryBytes() > room * 2 ** 30);
    results.push([await device.read(w, half, "f32"), await device.read(sum, 1, "f32")]);
    below.forEach((s) => device.free(s));
    device.destroy();
  }
  assertEquals(results[1], results[0]);
  assertEquals(results[2], results[0]);
});

Deno.test("cpu device: a read gives what was there when it was asked for", async () => {
  const device = createDevice(2, { thresholds: { pool: 0, serial: 0 } }), x = input(300_000);
  const next = build.compute((v) => X.add(v, 1), [x]);
  const program = device.compile({ inputs: [x], outputs: [next], donations: new Map([[0, 0]]) });
  const a = put(device, new Float32Array(300_000));
  const reads = Array.from({ length: 8 }, () => {
    program.run([a], [a]);
    return device.read(a, 300_000, "f32");
  });
  (await Promise.all(reads)).forEach((values, i) =>
    assert(values.every((v) => v === i + 1), `${i}: ${values[0]}`)
  );
  device.destroy();
});

Deno.test("cpu device: small programs wait for the large ones whose results they take", async () => {
  const device = cpu({ threads: 2 }), x = input(600, 600);
  const large = device.compile({
    inputs: [x],
    outputs: [build.matmul(x, x)],
    donations: new Map(),
  });
  const small = device.compile({
    inputs: [x],
    outputs: [build.sliceAxis(build.compute(X.neg, [build.slice(x, [0, 0], [1, 4])]), 1, 0, 4)],
    donations: new Map(),
  });
  const a = put(device, new Float32Array(360_000).fill(0.1)),
    b = device.allocate(360_000, "f32"),
    c = device.allocate(4, "f32");
  large.run([a], [b]);
  small.run([b], [c]);
  const values = await device.read(c, 4, "f32");
  assert(values.every((v) => Math.abs(v + 6) < 1e-4), `${values}`);
  device.write(b, new Float32Array(360_000), "f32");
  assertEquals((await device.read(b, 1, "f32"))[0], 0);
  device.destroy();
});

Deno.test("cpu device: timers go on during a long step", async () => {
  const device = cpu({ threads: 2 }), x = input(1024, 1024);
  const program = device.compile({
    inputs: [x],
    outputs: [build.matmul(x, x)],
    donations: new Map(),
  });
  const a = put(device, numbers(1024 * 1024)), b = device.allocate(1024 * 1024, "f32");
  program.run([a], [b]);
  await device.synchronize();
  let queued = Infinity, rare = Infinity;
  // Both shares are less than 1 where a step leaves the thread alone, in the best of some tries.
  const measure = async (): Promise<number> => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5), start = performance.now();
    for (let i = 0; i < 8; i++) program.run([a], [b]);
    const until = performance.now() - start;
    await device.synchronize();
    const took = performance.now() - start;
    clearInterval(timer);
    [queued, rare] = [until / (took / 4), took / 5 / 8 / ticks];
    return Math.max(queued, rare);
  };
  assertLess(await leastOf(1, measure), 1, `${queued} of the queueing, ${rare} of the ticks`);
  device.destroy();
});

Deno.test("cpu device: refusals", async () => {
  assertThrows(() => cpu({ threads: 0 }), RangeError, "Cannot run on 0 threads");
  const sizes = 'a memory of "8GiB": it is "4GiB" or "16GiB"';
  assertThrows(() => cpu({ memory: "8GiB" as "4GiB" }), RangeError, sizes);
  const device = cpu({ threads: 2 }), x = input(4);
  const program = device.compile({ inputs: [x], outputs: [build.add(x, x)], donations: new Map() });
  const a = put(device, [1, 2, 3, 4]);
  assertThrows(() => device.allocate(2 ** 31, "f32"), DeviceError, "Cannot allocate");
  device.destroy();
  assertThrows(() => device.allocate(1, "f32"), DeviceError, "destroyed");
  assertThrows(() => program.run([a], [a]), DeviceError, "destroyed");
  await assertRejects(() => device.read(a, 4, "f32"), DeviceError);
});

Deno.test("cpu pool: a failing thread fails what waits, and the device for good", async () => {
  const heap = createHeap(true), pool = createPool(heap, 2, workerThreads()!);
  const unreachable = encoded({ params: [I32, I32, I32], locals: [], body: [0x00] });
  const module = new WebAssembly.Module(encodeModule([unreachable], heap));
  const number = pool.submit({}, module, 0);
  assertThrows(() => pool.wait(number), DeviceError, "a thread failed");
  const error = await assertRejects(() => pool.done(number), DeviceError, "a thread failed");
  assertEquals(error.failure, "lost");
  assertThrows(() => pool.submit({}, module, 0), DeviceError, "unreachable");
  pool.destroy();
});

/** Counts its threads in word 0 of the heap's free part, with a barrier before and after; or fails on all threads but the first. */
function counting(heap: Heap, fails: boolean): { module: WebAssembly.Module; run: () => void } {
  const ptr = pointersOf(heap), limits = [I32, I32, ptr.type];
  const meet = call(0, get(1));
  const count = [meet, atomicsOf(ptr).add(COUNTER, 1), [0x1a], meet];
  const body = fails ? [when(get(0), [[0x00]], meet)] : count;
  const fns = [barrierFunction(ptr), encoded({ params: limits, locals: [], body })];
  const module = new WebAssembly.Module(encodeModule(fns, heap));
  const { exports } = new WebAssembly.Instance(module, { env: { memory: heap.memory } });
  return { module, run: () => (exports.run as (...words: number[]) => void)(0, 3, 0) };
}
const COUNTER = 4096;

Deno.test("cpu pool: the calling thread stands in for the first one, in any order with the queue", async () => {
  const heap = createHeap(true), pool = createPool(heap, 3, workerThreads()!);
  const { module, run } = counting(heap, false), program = {};
  assert(!pool.isIdle(), "no thread is up");
  let runs = 0;
  for (let round = 0; round < 5; round++) {
    const queued = round < 3 ? 2 : 40; // more than the queue holds, too
    let number = 0;
    for (let i = 0; i < queued; i++) number = pool.submit(program, module, 0);
    runs += queued;
    await pool.done(number);
    assertEquals(heap.words()[COUNTER / 4], 3 * runs);
    // More than the queue holds, of which the first thread hears nothing.
    for (let i = 0; i < 70; i++) {
      assert(pool.isIdle());
      pool.together(program, module, 0, run);
      assertEquals(heap.words()[COUNTER / 4], 3 * ++runs);
    }
  }
  pool.destroy();
});

Deno.test("cpu pool: promises for programs resolve whatever the order in which they are asked for", async () => {
  const heap = createHeap(true), pool = createPool(heap, 3, workerThreads()!);
  const { module } = counting(heap, false), program = {}, seen: number[] = [];
  const numbers = Array.from({ length: 20 }, () => pool.submit(program, module, 0));
  const order = [5, 19, 2, 11, 0];
  await Promise.all(order.map((i) => pool.done(numbers[i]!).then(() => seen.push(i))));
  assertEquals(seen.toSorted((a, b) => a - b), order.toSorted((a, b) => a - b));
  assert(pool.isIdle());
  pool.destroy();
});

Deno.test("cpu pool: a thread that fails beside the calling one does not keep it waiting", async () => {
  const heap = createHeap(true), pool = createPool(heap, 3, workerThreads()!);
  const good = counting(heap, false), bad = counting(heap, true);
  await pool.done(pool.submit({}, good.module, 0));
  assertThrows(() => pool.together({}, bad.module, 0, bad.run), DeviceError, "a thread failed");
  assertThrows(() => pool.submit({}, good.module, 0), DeviceError, "a thread failed");
  pool.destroy();
});

Deno.test("cpu device: on the calling thread and the pool's together, the same bits", async () => {
  const results = [];
  for (const thresholds of [{ pool: 0, serial: 0 }, { pool: Infinity, help: 0, serial: 0 }]) {
    const device = createDevice(3, { thresholds });
    const { inputs, outputs } = step(70);
    const program = device.compile({ inputs, outputs, donations: new Map([[0, 1]]) });
    const [x, w, b] = inputs.map((n, i) => put(device, numbers(sizeOf(n.shape), i)));
    const sum = device.allocate(1, "f32");
    for (let i = 0; i < 20; i++) {
      program.run([x!, w!, b!], [w!, sum]);
      await device.synchronize();
    }
    results.push([await device.read(w!, 4900, "f32"), await device.read(sum, 1, "f32")]);
    device.destroy();
  }
  assertEquals(results[1], results[0]);
});

Deno.test("cpu device: many small kernels are one thread's work, a large one is shared", () => {
  const cost = (side: number, products: number) => {
    const x = input(side, side);
    let y: Node = x;
    for (let i = 0; i < products; i++) y = build.matmul(y, x);
    const graph = { inputs: [x], outputs: [y], donations: new Map() };
    const plan = makePlan(graph, { bindings: 1 << 16, fuse: true });
    const heap = createHeap(true), options = { threads: 2, serial: 30_000, blas: false };
    return assemble(plan, heap, { ...options, timed: false });
  };
  const small = cost(64, 64), large = cost(256, 1);
  assert(small.cost > large.cost, `${small.cost}`);
  assertEquals(small.shared, 0);
  assertEquals(small.barriers, 1, "only the last");
  assertEquals(large.shared, large.cost);
});

/** A program that uses the pool, prints and should then end. */
const script = (base: string): string => `
  import { cpu } from "${base}core/backends/cpu/mod.ts";
  import * as build from "${base}core/graph/build.ts";
  import { makeNode } from "${base}core/graph/node.ts";
  const x = makeNode({ kind: "input", shape: [512, 512], dtype: "f32", inputs: [] });
  const device = cpu({ threads: 2 });
  const program = device.compile({ inputs: [x], outputs: [build.matmul(x, x)], donations: new Map() });
  const a = device.allocate(512 * 512, "f32"), b = device.allocate(512 * 512, "f32");
  device.write(a, new Float32Array(512 * 512).fill(0.5), "f32");
  program.run([a], [b]);
  device.read(b, 512 * 512, "f32").then((out) => console.log(out[0]));
`;

async function output(...args: string[]): Promise<{ out: string; error: string; code: number }> {
  const signal = AbortSignal.timeout(300_000);
  const command = new Deno.Command(Deno.execPath(), { args, signal, env: { NO_COLOR: "1" } });
  const { stdout, stderr, code } = await command.output();
  return { out: new TextDecoder().decode(stdout), error: new TextDecoder().decode(stderr), code };
}

Deno.test("cpu device: pending work keeps the process alive, an idle pool lets it end", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, script(root.href));
  assertEquals(await output("run", "--no-check", "--no-prompt", "-q", file), {
    out: "128\n",
    error: "",
    code: 0,
  });
  await Deno.remove(file);
});

Deno.test("cpu device: the pool starts where the library is imported by URL, with no permission but --allow-import", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const file = new URL(`.${new URL(request.url).pathname}`, root);
    return new Response(await Deno.readTextFile(file), {
      headers: { "content-type": "text/typescript" },
    });
  });
  const host = `127.0.0.1:${server.addr.port}`, folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/main.ts`, script(`http://${host}/`));
  const got = await output(
    "run",
    "--no-check",
    "--no-prompt",
    "-q",
    "--no-lock",
    `--allow-import=${host}`,
    `${folder}/main.ts`,
  );
  assertEquals(got, { out: "128\n", error: "", code: 0 });
  await server.shutdown();
  await Deno.remove(folder, { recursive: true });
});
