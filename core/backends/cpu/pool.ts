/**
 * Threads that run programs off the main thread, in the order of submission. They start with the first program, sleep when there is
 * none, and keep the process alive only while there is one.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import { ALIGN, CONTROL, type Heap, QUEUE } from "./memory.ts";
import { openGemm } from "./blas.ts";
import { openTick } from "./clock.ts";
import { type ProgramMessage, type ThreadData, threadMain } from "./worker.ts";

/** Looks at the queue before a thread sleeps: some tens of microseconds. */
const SPINS = 20_000;

interface Thread {
  postMessage(message: unknown): void;
  on(event: "message" | "error", listener: (value: unknown) => void): void;
  ref(): void;
  unref(): void;
  terminate(): unknown;
}
interface Port {
  postMessage(message: ProgramMessage): void;
  unref(): void;
}
/** The part of node:worker_threads that is used here. */
interface WorkerThreads {
  readonly Worker: new (source: string, options: object) => Thread;
  readonly MessageChannel: new () => { readonly port1: Port; readonly port2: unknown };
}

/** A function that gives node:worker_threads, without an import that a browser bundle would stumble over; undefined in a browser. */
export function workerThreads(): (() => WorkerThreads) | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  if (!process?.getBuiltinModule) return undefined;
  return () => process.getBuiltinModule!("node:worker_threads") as WorkerThreads;
}

export interface Pool {
  /** Queues a program; the result is its number, which `isDone` and `done` understand. Waits only if the queue is full. */
  submit(program: object, module: WebAssembly.Module, table: number): number;
  isDone(number: number): boolean;
  /** Resolves when the program has run. @throws DeviceError if a thread failed */
  done(number: number): Promise<void>;
  /** Blocks until the program has run. */
  wait(number: number): void;
  /** Lets the threads forget a program. */
  forget(program: object): void;
  destroy(): void;
}

export function createPool(
  heap: Heap,
  threads: number,
  load: () => WorkerThreads,
  blas?: string,
): Pool {
  const at = (address: number): number => address / 4;
  const submitted = at(CONTROL.submitted), completed = at(CONTROL.completed);
  const failed = at(CONTROL.failed), queue = at(CONTROL.queue);
  const words = new Int32Array(heap.memory.buffer);
  const ids = new Map<object, number>();
  let running: { readonly workers: readonly Thread[]; readonly ports: readonly Port[] } | undefined;
  let last = 0, nextId = 0, awake = false, failure: DeviceError | undefined;
  let waiting: { readonly number: number; resolve(): void; reject(error: DeviceError): void }[] =
    [];

  function start(): { workers: Thread[]; ports: Port[] } {
    const { MessageChannel, Worker } = load(), workers: Thread[] = [], ports: Port[] = [];
    for (let thread = 0; thread < threads; thread++) {
      const { port1, port2 } = new MessageChannel();
      const workerData: ThreadData = {
        memory: heap.memory,
        port: port2,
        thread,
        threads,
        submitted,
        completed,
        failed,
        queue,
        entries: QUEUE,
        spins: SPINS,
        unit: ALIGN,
        wide: heap.wide,
        blas,
      };
      const source = `(${threadMain})(require("node:worker_threads"), ${openGemm}, ${openTick})`;
      const worker = new Worker(source, { eval: true, workerData, transferList: [port2] });
      worker.on("message", (problem) => typeof problem === "string" ? fail(problem) : settle());
      worker.on("error", (error) => fail(String(error)));
      worker.unref();
      workers.push(worker);
      ports.push(port1);
    }
    return { workers, ports };
  }
  const isDone = (number: number): boolean => ((Atomics.load(words, completed) - number) | 0) >= 0;
  /** While something is queued the first thread holds the process; it is the one that reports. */
  function keepAwake(on: boolean): void {
    if (on === awake || !running) return;
    awake = on;
    if (on) running.workers[0]!.ref();
    else running.workers[0]!.unref();
  }
  function settle(): void {
    const before = waiting;
    waiting = [];
    // Each is asked once: threads go on meanwhile.
    for (const w of before) {
      if (isDone(w.number)) w.resolve();
      else waiting.push(w);
    }
    if (isDone(last)) keepAwake(false);
  }
  function fail(problem: string): void {
    failure ??= new DeviceError(
      `Cannot go on with the cpu device: a thread failed with ${problem}`,
      "lost",
    );
    running?.workers.forEach((w) => w.terminate());
    waiting.forEach((w) => w.reject(failure!));
    waiting = [];
    keepAwake(false);
  }
  function wait(number: number): void {
    while (!isDone(number)) {
      if (failure || Atomics.load(words, failed)) {
        throw failure ??
          new DeviceError("Cannot go on with the cpu device: a thread failed", "lost");
      }
      Atomics.wait(words, completed, Atomics.load(words, completed), 1000);
    }
  }
  function push(id: number, table: number): number {
    if (((last - Atomics.load(words, completed)) | 0) >= QUEUE) wait((last - QUEUE + 1) | 0);
    const entry = queue + 2 * ((last >>> 0) % QUEUE);
    words[entry] = id;
    words[entry + 1] = table / ALIGN;
    last = (last + 1) | 0;
    Atomics.store(words, submitted, last);
    Atomics.notify(words, submitted);
    return last;
  }
  return {
    isDone,
    wait,
    submit(program, module, table) {
      if (failure) throw failure;
      running ??= start();
      let id = ids.get(program);
      if (id === undefined) {
        ids.set(program, id = nextId++);
        for (const port of running.ports) port.postMessage({ id, module });
      }
      const number = push(id, table);
      keepAwake(true);
      return number;
    },
    done(number) {
      if (failure) return Promise.reject(failure);
      if (isDone(number)) return Promise.resolve();
      return new Promise((resolve, reject) => waiting.push({ number, resolve, reject }));
    },
    forget(program) {
      const id = ids.get(program);
      if (id === undefined) return;
      ids.delete(program);
      running?.ports.forEach((port) => port.postMessage({ id }));
    },
    destroy() {
      if (!running) return;
      if (!failure) push(-1, 0);
      keepAwake(false);
      running = undefined;
      failure ??= new DeviceError("Cannot use the cpu device: it was destroyed", "lost");
    },
  };
}
