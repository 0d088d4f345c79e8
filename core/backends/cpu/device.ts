/**
 * The cpu device: one memory, the programs compiled for it, and where each run takes place. Small programs run at once on the calling
 * thread, those of about a millisecond on it and the pool's threads together; large ones, and all that need their results, run in
 * order on the pool.
 *
 * @module
 */
import { type DType, type HostArray, hostArray } from "../../dtype.ts";
import type { Device, Graph, KernelTime, Program, Storage } from "../../device/device.ts";
import { DeviceError } from "../../device/error.ts";
import { explainPlan } from "../../plan/explain.ts";
import { makePlan } from "../../plan/make_plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { HALVES, widthOf } from "./access.ts";
import { hasRelaxedSimd } from "./features.ts";
import { type Blas, type Gemm, openGemm } from "./blas.ts";
import { openTick } from "./clock.ts";
import { createHeap, END, type MemorySize } from "./memory.ts";
import { plannerOf } from "./planner.ts";
import { pointersOf } from "./pointers.ts";
import { createPool, type Pool, workerThreads } from "./pool.ts";
import { assemble, type Assembled, TABLE_HEAD } from "./program.ts";
import { snapshotModule } from "./snapshot.ts";

/** Where threads pay, in nanoseconds of work on one thread. */
export interface Thresholds {
  /** Programs below it run at once, on the calling thread. */
  readonly pool: number;
  /** Those of them that have as much for threads to share are run by the pool's too, if these are without work. */
  readonly help: number;
  /** Kernels below it are run by one thread: threads that do not meet at once at the barrier lose more than they save. */
  readonly serial: number;
}
/** It has every hand-written kernel. */
const composes = (): undefined => undefined;
const USUAL: Thresholds = { pool: 2_000_000, help: 250_000, serial: 30_000 };

export interface CpuDevice extends Device {
  /** What `compile` does once there is a plan. */
  compilePlan(plan: Plan, planMs: number): Program;
  /** Bytes of the whole memory, free or not; it never shrinks. */
  memoryBytes(): number;
}

interface Block extends Storage {
  readonly address: number;
  /** Numbers of the last queued programs that write it, and that use it at all. */
  written: number;
  used: number;
  /** How far the last one that writes it must be for its contents to be complete. */
  mark: number;
  /** Reads that wait for that. */
  readonly readers: Set<Reader>;
}

/** A read that waits for contents to be complete. */
interface Reader {
  readonly size: number;
  readonly dtype: DType;
  /** What it gets, where somebody else was about to change them. */
  taken?: HostArray | Promise<HostArray>;
}

/** What a program exports. */
type Run = (thread: number, threads: number, table: number | bigint) => void;

/** Memory that programs share: it is as large as the largest of them needs. */
interface Arena {
  address: number;
  bytes: number;
}

/** A buffer as this backend keeps it: bool in words of 0 and 1. */
function viewOf(
  buffer: ArrayBufferLike,
  address: number,
  size: number,
  dtype: DType,
): Float32Array | Uint16Array | Int32Array | Uint32Array {
  if (widthOf(dtype) === 2) return new Uint16Array(buffer, address, size);
  if (dtype === "f32") return new Float32Array(buffer, address, size);
  return dtype === "u32"
    ? new Uint32Array(buffer, address, size)
    : new Int32Array(buffer, address, size);
}

/** What a device may have beside its threads. */
export interface DeviceParts {
  readonly thresholds?: Partial<Thresholds>;
  readonly memory?: MemorySize;
  readonly blas?: Blas | undefined;
  /** A thread of its own, where there is only one. */
  readonly aside?: boolean | undefined;
}

export function createDevice(threads: number, parts: DeviceParts = {}): CpuDevice {
  const { memory = "4GiB", blas } = parts, thresholds = { ...USUAL, ...parts.thresholds };
  const load = threads > 1 || parts.aside ? workerThreads() : undefined;
  const heap = createHeap(load !== undefined, memory), word = pointersOf(heap).bytes;
  const pool: Pool | undefined = load && heap.shared
    ? createPool(heap, threads, load, blas?.path)
    : undefined;
  const live = new Set<Block>();
  let bytes = 0, last = 0, destroyed = false, gemm: Gemm | undefined;
  /** Addresses to free once the program of that number has run. */
  let later: { readonly address: number; readonly number: number }[] = [];
  const none = (): Arena => ({ address: 0, bytes: 0 });
  // The calling thread has arenas of its own, as it works while the pool does.
  const here = { scratch: none(), panels: none(), table: none() };
  const there = { scratch: none(), panels: none() };

  const snapshot: { module?: WebAssembly.Module } = {};

  const isDone = (number: number): boolean => number === 0 || pool!.isDone(number);
  function reclaim(): void {
    if (later.length === 0) return;
    const queued = later;
    later = [];
    // Each is asked once: threads go on meanwhile.
    for (const l of queued) freeAfter(l.address, l.number);
  }
  function allocate(size: number): number {
    reclaim();
    return heap.allocate(size);
  }
  function freeAfter(address: number, number: number): void {
    if (isDone(number)) heap.free(address);
    else later.push({ address, number });
  }
  function atLeast(arena: Arena, size: number): number {
    if (arena.bytes < size) {
      if (arena.bytes) freeAfter(arena.address, last);
      arena.address = allocate(size);
      arena.bytes = size;
    }
    return arena.address;
  }
  function contents(address: number, size: number, dtype: DType): HostArray {
    const out = hostArray<DType>(dtype, size);
    out.set(viewOf(heap.buffer(), address, size, dtype));
    return out;
  }
  const hasPassed = (block: Block): boolean =>
    block.written === 0 || pool!.hasPassed(block.written, block.mark);
  /** A copy takes its place in the queue: programs that are queued later may overwrite what it is of. */
  async function snapshotOf(block: Block, size: number, dtype: DType): Promise<HostArray> {
    const address = allocate(block.bytes), table = allocate(3 * word);
    setWords(table, [address, block.address, block.bytes]);
    const number = last = block.used = pool!.submit(
      snapshot,
      snapshot.module ??= snapshotModule(heap),
      table,
    );
    freeAfter(table, number);
    try {
      await pool!.done(number);
      return contents(address, size, dtype);
    } finally {
      heap.free(address);
    }
  }
  /** Gives those who wait to read a block what they are to have, before it is changed or freed. */
  function serve(block: Block): void {
    for (const reader of block.readers) {
      if (reader.taken) continue;
      const { size, dtype } = reader;
      reader.taken = hasPassed(block)
        ? contents(block.address, size, dtype)
        : snapshotOf(block, size, dtype);
      // A failure is told to who reads.
      if (reader.taken instanceof Promise) reader.taken.catch(() => {});
    }
  }
  function check(): void {
    if (destroyed) throw new DeviceError("Cannot use the cpu device: it was destroyed", "lost");
  }
  function setWords(table: number, addresses: readonly number[]): void {
    const words = heap.words(), at = table / 4;
    addresses.forEach((a, i) => {
      if (!heap.wide) words[at + i] = a;
      else {
        words[at + 2 * i] = a % 2 ** 32;
        words[at + 2 * i + 1] = Math.floor(a / 2 ** 32);
      }
    });
  }
  /** A module that can be run; `times` is where a timed one writes. */
  interface Runner {
    readonly code: Assembled;
    run(inputs: readonly Block[], outputs: readonly Block[], times?: number): void;
    destroy(): void;
  }

  function runnerOf(plan: Plan, code: Assembled): Runner {
    const tableBytes = word * (TABLE_HEAD + plan.slots.length + 1), key = {};
    let main: Run | undefined;

    function fillTable(
      table: number,
      places: Record<"scratch" | "panels", number>,
      inputs: readonly Block[],
      outputs: readonly Block[],
      times: number,
    ): void {
      const slots = plan.slots.map(({ role, index }) =>
        role === "scratch" ? 0 : (role === "input" ? inputs : outputs)[index]!.address
      );
      setWords(table, [places.panels, places.scratch, ...slots, times]);
    }
    /** At once: alone, or with the pool's threads, which are without work. */
    function runHere(
      pool: Pool | undefined,
      inputs: readonly Block[],
      outputs: readonly Block[],
      times: number,
    ): void {
      const table = atLeast(here.table, tableBytes), many = pool ? threads : 1;
      const scratch = code.scratchBytes && atLeast(here.scratch, code.scratchBytes);
      const panels = code.threadBytes && atLeast(here.panels, many * code.threadBytes);
      fillTable(table, { scratch, panels }, inputs, outputs, times);
      if (!main) {
        gemm ??= openGemm(heap.memory, blas?.path);
        const env = { memory: heap.memory, blas: gemm, tick: openTick(heap.memory), mark() {} };
        main = new WebAssembly.Instance(code.module, { env }).exports.run as Run;
      }
      const first = (): void => main!(0, many, heap.wide ? BigInt(table) : table);
      if (pool) pool.together(key, code.module, table, first);
      else first();
    }
    function runThere(
      pool: Pool,
      inputs: readonly Block[],
      outputs: readonly Block[],
      times: number,
    ): void {
      const table = allocate(tableBytes);
      const scratch = code.scratchBytes && atLeast(there.scratch, code.scratchBytes);
      const panels = code.threadBytes && atLeast(there.panels, threads * code.threadBytes);
      fillTable(table, { scratch, panels }, inputs, outputs, times);
      last = pool.submit(key, code.module, table);
      freeAfter(table, last);
      for (const b of inputs) b.used = last;
      for (const b of outputs) b.used = last;
      // What is handed through is not written.
      plan.slots.forEach(({ role, index }, slot) => {
        const mark = code.marks[slot];
        if (mark === undefined) return;
        const block = (role === "input" ? inputs : outputs)[index]!;
        [block.written, block.mark] = [last, mark];
      });
    }
    return {
      code,
      run(inputs, outputs, times = 0) {
        check();
        outputs.forEach(serve);
        const isFree = code.cost < thresholds.pool && inputs.every((b) => isDone(b.written)) &&
          outputs.every((b) => isDone(b.used));
        const isIdle = isFree && pool !== undefined && pool.isIdle();
        const isSmall = code.cost < thresholds.help || (isIdle && code.shared < thresholds.help);
        if (!pool || (isFree && isSmall)) runHere(undefined, inputs, outputs, times);
        else if (isIdle) runHere(pool, inputs, outputs, times);
        else runThere(pool, inputs, outputs, times);
      },
      destroy() {
        pool?.forget(key);
        main = undefined;
      },
    };
  }

  const assembling = {
    threads: pool ? threads : 1,
    serial: thresholds.serial,
    blas: blas !== undefined,
  };
  const planOf = (graph: Graph): Plan =>
    makePlan(graph, { bindings: 1 << 16, fuse: true, sums: true, composes, halves: HALVES });

  function compilePlan(plan: Plan, planMs: number): Program {
    check();
    const start = performance.now();
    const make = (timed: boolean): Runner =>
      runnerOf(plan, assemble(plan, heap, { ...assembling, timed }));
    const plain = make(false), codegenMs = performance.now() - start;
    let timed: Runner | undefined;
    return {
      run: (inputs, outputs) => plain.run(inputs as readonly Block[], outputs as readonly Block[]),
      async profile(inputs, outputs): Promise<readonly KernelTime[]> {
        check();
        timed ??= make(true);
        const { kernels } = timed.code, address = allocate(8 * (kernels.length + 1));
        try {
          const before = last;
          timed.run(inputs as readonly Block[], outputs as readonly Block[], address);
          if (last !== before) await pool!.done(last);
          const times = new Float64Array(heap.buffer(), address, kernels.length + 1);
          const us = (i: number): number => 1000 * (times[i]! - times[0]!);
          return kernels.flatMap((kernel, i) =>
            kernel === undefined ? [] : [{ kernel, startUs: us(i), endUs: us(i + 1) }]
          );
        } finally {
          heap.free(address);
        }
      },
      explain: () => ({
        ...explainPlan(plan, HALVES),
        scratchBytes: plain.code.scratchBytes,
        threadBytes: (pool ? threads : 1) * plain.code.threadBytes,
        planMs,
        codegenMs,
      }),
      destroy() {
        plain.destroy();
        timed?.destroy();
      },
    };
  }

  return {
    kind: "cpu",
    description: [
      hasRelaxedSimd ? "WebAssembly SIMD with fused multiply-add" : "WebAssembly SIMD",
      pool ? threads > 1 ? `${threads} threads` : "1 thread beside the calling one" : "1 thread" +
        (threads > 1 || parts.aside ? " (no shared memory or no worker threads here)" : ""),
      ...(blas ? [blas.description] : []),
      ...(heap.wide ? [`up to ${heap.maximum / 16384} GiB`] : []),
    ].join(", "),
    allocate(size, dtype) {
      check();
      const length = Math.max(1, size) * widthOf(dtype);
      const block: Block = {
        bytes: length,
        address: allocate(length),
        written: 0,
        used: 0,
        mark: END,
        readers: new Set(),
      };
      live.add(block);
      bytes += length;
      return block;
    },
    free(storage) {
      const block = storage as Block;
      if (!live.delete(block)) return;
      bytes -= block.bytes;
      if (destroyed) return;
      serve(block);
      freeAfter(block.address, block.used);
    },
    write(storage, data, dtype) {
      check();
      const block = storage as Block;
      if (!isDone(block.used)) pool!.wait(block.used);
      serve(block);
      viewOf(heap.buffer(), block.address, data.length, dtype).set(data);
    },
    async read(storage, size, dtype) {
      check();
      const block = storage as Block;
      if (hasPassed(block)) return contents(block.address, size, dtype);
      const reader: Reader = { size, dtype };
      block.readers.add(reader);
      try {
        await pool!.done(block.written, block.mark);
        return await (reader.taken ?? contents(block.address, size, dtype));
      } finally {
        block.readers.delete(reader);
      }
    },
    compile(graph: Graph) {
      const start = performance.now(), plan = planOf(graph);
      return compilePlan(plan, performance.now() - start);
    },
    compilePlan,
    planner: plannerOf(heap, assembling, planOf),
    memoryBytes: () => heap.buffer().byteLength,
    synchronize: () => pool && last ? pool.done(last) : Promise.resolve(),
    usage: () => ({ bytes, storages: live.size }),
    peakBytes: heap.peak,
    destroy() {
      if (destroyed) return;
      destroyed = true;
      pool?.destroy();
      live.clear();
      bytes = 0;
    },
  };
}
