/** Results that are read while their program goes on: as soon as they are complete, and as they were. */
import { assert, assertEquals } from "@std/assert";
import { barrierFunction } from "../../core/backends/cpu/barrier.ts";
import { createDevice } from "../../core/backends/cpu/device.ts";
import {
  call,
  encoded,
  encodeModule,
  get,
  I32,
  i32,
  when,
} from "../../core/backends/cpu/encoder.ts";
import { IMPORTS, imports, MARK } from "../../core/backends/cpu/gemm.ts";
import { createHeap, END } from "../../core/backends/cpu/memory.ts";
import { atomicsOf, pointersOf } from "../../core/backends/cpu/pointers.ts";
import { createPool, workerThreads } from "../../core/backends/cpu/pool.ts";
import { assemble } from "../../core/backends/cpu/program.ts";
import type { Device, Storage } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node, sizeOf } from "../../core/graph/node.ts";
import { makePlan } from "../../core/plan/make_plan.ts";
import { within } from "../within.ts";

const input = (...shape: number[]): Node =>
  makeNode({ kind: "input", shape, dtype: "f32", inputs: [] });
const numbers = (n: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7));
const storageOf = (device: Device, values: Float32Array): Storage => {
  const storage = device.allocate(values.length, "f32");
  device.write(storage, values, "f32");
  return storage;
};

/** Layers, each of which adds to a sum of its own: its inputs are x, w and the sums, which are donated. */
function layers(width: number, count: number) {
  const x = input(width, width), w = input(width, width);
  const sums = Array.from({ length: count }, () => input(width, width)), outputs: Node[] = [];
  let h: Node = x;
  for (const sum of sums) {
    h = build.compute(X.tanh, [build.matmul(h, w)]);
    outputs.push(build.add(sum, build.matmul(build.transpose(h), h)));
  }
  const donations = new Map(sums.map((_, i) => [i, i + 2]));
  return { inputs: [x, w, ...sums], outputs, donations };
}

/** Passes mark 1, waits until word FLAG is not 0, and ends. */
const FLAG = 4096;
Deno.test("cpu pool: who waits for a mark hears of it while the program goes on", async () => {
  const heap = createHeap(true), pool = createPool(heap, 2, workerThreads()!);
  const ptr = pointersOf(heap), limits = [I32, I32, ptr.type], atomic = atomicsOf(ptr);
  const first = [call(MARK, i32.of(1)), atomic.wait(FLAG, i32.of(0))];
  const body = [when(get(0), [], first), call(IMPORTS, get(1))];
  const fns = [barrierFunction(ptr), encoded({ params: limits, locals: [], body })];
  const module = new WebAssembly.Module(encodeModule(fns, heap, imports(ptr)));
  const words = heap.words(), program = {};
  for (let round = 0; round < 20; round++) {
    Atomics.store(words, FLAG / 4, 0);
    const before = round % 2 ? pool.submit(program, module, 0) : 0;
    const number = pool.submit(program, module, 0), later: string[] = [];
    const end = pool.done(number).then(() => later.push("end"));
    const after = pool.done(number, 2).then(() => later.push("a mark that it does not pass"));
    if (before) {
      assert(!pool.hasPassed(number, 1), "the one before is not done");
      await within("a mark", pool.done(before, 1));
    } else await within("a mark", pool.done(number, 1));
    assert(!pool.isDone(number) && later.length === 0);
    Atomics.store(words, FLAG / 4, 1);
    Atomics.notify(words, FLAG / 4);
    await within("the end", Promise.all([end, after]));
    assert(pool.hasPassed(number, END));
  }
  pool.destroy();
});

Deno.test("cpu program: results that are complete before the end have marks in the order of their last kernels", () => {
  for (const threads of [1, 2]) {
    const graph = layers(128, 4), plan = makePlan(graph, { bindings: 1 << 16, fuse: true });
    const heap = createHeap(true), options = { threads, serial: 0, blas: false };
    const { marks } = assemble(plan, heap, { ...options, timed: false });
    const slot = (i: number): number => plan.slotOf.get(graph.outputs[i]!)!;
    const found = graph.outputs.map((_, i) => marks[slot(i)]);
    assertEquals(found.length, 4);
    const early = found.filter((mark) => mark !== END);
    assert(early.length >= 2, `${threads} threads: ${found}`);
    assertEquals(new Set(early).size, early.length);
    assertEquals(
      plan.slots.every(({ role }, s) => role !== "scratch" || marks[s] === undefined),
      true,
    );
    const timed = assemble(plan, heap, { ...options, timed: true });
    assertEquals(graph.outputs.map((_, i) => timed.marks[slot(i)]), Array(4).fill(END));
  }
});

for (const [threads, aside] of [[1, true], [2, false], [3, false]] as const) {
  Deno.test(`cpu device, ${threads} threads: an early read has what the program gave, whatever comes after`, async () => {
    const width = 96, count = 5, graph = layers(width, count);
    const run = async (device: Device, isEarly: boolean): Promise<Float32Array[]> => {
      const program = device.compile(graph);
      const [x, w, ...sums] = graph.inputs.map((n, i) =>
        storageOf(device, numbers(sizeOf(n.shape), i))
      ) as [Storage, Storage, ...Storage[]];
      const reads: Promise<unknown>[] = [],
        read = (i: number): void => {
          reads.push(device.read(sums[i]!, width * width, "f32"));
        };
      for (let round = 0; round < 6; round++) {
        program.run([x, w, ...sums], sums);
        if (!isEarly) await device.synchronize();
        for (let i = 0; i < count; i++) read(i);
        // The next program overwrites them; and now and then one is freed, or written by the host.
        if (round === 2) await reads[1];
        if (round === 3) device.write(sums[0]!, numbers(width * width, 9), "f32");
        if (round === 4) {
          device.free(sums[1]!);
          sums[1] = storageOf(device, numbers(width * width, 8));
        }
      }
      const found = await Promise.all(reads) as Float32Array[];
      device.destroy();
      return found;
    };
    const thresholds = { pool: 0, serial: 0 };
    const expected = await run(createDevice(1), false);
    const found = await run(createDevice(threads, { thresholds, aside }), true);
    assertEquals(found.length, expected.length);
    found.forEach((array, i) => assertEquals(array, expected[i], `read ${i}`));
  });
}

Deno.test("cpu device: what a program hands through is complete before it, and is not waited for", async () => {
  const x = input(300, 300), kept = input(3), y = build.matmul(x, x);
  const graph = { inputs: [x, kept], outputs: [kept, y], donations: new Map([[0, 1]]) };
  const plan = makePlan(graph, { bindings: 1 << 16, fuse: true }), heap = createHeap(true);
  const { marks } = assemble(plan, heap, { threads: 1, serial: 0, blas: false });
  assertEquals(plan.slots.map(({ role }, s) => [role, marks[s]]), [
    ["input", undefined],
    ["input", undefined],
    ["output", END],
  ]);
  const device = createDevice(1, { thresholds: { pool: 0 }, aside: true });
  const program = device.compile(graph);
  const [from, same] = [storageOf(device, numbers(9e4, 1)), storageOf(device, numbers(3, 2))];
  const to = device.allocate(9e4, "f32");
  program.run([from, same], [same, to]);
  assertEquals(await device.read(same, 3, "f32"), numbers(3, 2));
  device.destroy();
});
