/**
 * Threads that run programs off the main thread, in the order of submission, or together with it. They start with the first program,
 * look for the next one for a moment when they are done, then sleep, and keep the process alive only while somebody waits for them.
 * A message costs more than a small program, so a thread sends one only when a promise waits for it.
 *
 * @module
 */
import { DeviceError } from "../../device/error.ts";
import { ALIGN, CONTROL, END, type Heap, QUEUE } from "./memory.ts";
import { openGemm } from "./blas.ts";
import { openTick } from "./clock.ts";
import { type ProgramMessage, type ThreadData, threadMain } from "./worker.ts";

/** How long a thread looks for work before it sleeps: longer than it takes to be woken. Units: milliseconds. */
const SPIN = 0.1;

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
  /** Has the program come to a mark, or run? */
  hasPassed(number: number, mark: number): boolean;
  /** Are all threads up, and without work? */
  isIdle(): boolean;
  /** Runs a program at once on the threads of an idle pool, but for the first one's part, which is `first`, called here. */
  together(program: object, module: WebAssembly.Module, table: number, first: () => void): void;
  /** Resolves when the program has run, or come to a mark. @throws DeviceError if a thread failed */
  done(number: number, mark?: number): Promise<void>;
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
  const submitted = at(CONTROL.submitted), queued = at(CONTROL.queued);
  const completed = at(CONTROL.completed), wanted = at(CONTROL.wanted);
  const failed = at(CONTROL.failed), queue = at(CONTROL.queue);
  const words = new Int32Array(heap.memory.buffer);
  const ids = new Map<object, number>();
  let running: { readonly workers: readonly Thread[]; readonly ports: readonly Port[] } | undefined;
  let last = 0, nextId = 0, awake = false, failure: DeviceError | undefined;
  let waiting: {
    readonly number: number;
    readonly mark: number;
    resolve(): void;
    reject(error: DeviceError): void;
  }[] = [];

  function start(): { workers: Thread[]; ports: Port[] } {
    const { MessageChannel, Worker } = load(), workers: Thread[] = [], ports: Port[] = [];
    for (let thread = 0; thread < threads; thread++) {
      const { port1, port2 } = new MessageChannel();
      const workerData: ThreadData = {
        memory: heap.memory,
        port: port2,
        thread,
        threads,
        control: CONTROL,
        entries: QUEUE,
        spin: SPIN,
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
  function hasPassed(number: number, mark: number): boolean {
    // In this order: what is passed is of the program after the last completed, or of a later one.
    const behind = (Atomics.load(words, completed) - number) | 0;
    return behind >= 0 || (behind === -1 && Atomics.load(words, at(CONTROL.passed)) >= mark);
  }
  /** While somebody waits the first thread holds the process; it is the one that reports. */
  function keepAwake(on: boolean): void {
    if (on === awake || !running) return;
    awake = on;
    if (on) running.workers[0]!.ref();
    else running.workers[0]!.unref();
  }
  /** Tells those whose programs have run, and asks for a message when the next one has. */
  function settle(): void {
    let next: { readonly number: number; readonly mark: number } | undefined;
    do {
      const before = waiting;
      waiting = [];
      // Each is asked once: threads go on meanwhile.
      for (const w of before) {
        if (hasPassed(w.number, w.mark)) w.resolve();
        else waiting.push(w);
      }
      next = waiting.reduce<typeof next>((first, w) => {
        const after = first === undefined ? -1 : (w.number - first.number) | 0;
        return after < 0 || (after === 0 && w.mark < first!.mark) ? w : first;
      }, undefined);
      Atomics.store(words, at(CONTROL.mark), next?.mark ?? END);
      if (next !== undefined) Atomics.store(words, wanted, next.number);
      // What was completed before that sends no message.
    } while (next !== undefined && hasPassed(next.number, next.mark));
    keepAwake(waiting.length > 0);
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
  function check(): void {
    if (failure) throw failure;
    if (Atomics.load(words, failed)) {
      throw new DeviceError("Cannot go on with the cpu device: a thread failed", "lost");
    }
  }
  function wait(number: number): void {
    while (!isDone(number)) {
      check();
      Atomics.wait(words, completed, Atomics.load(words, completed), 1000);
    }
  }
  /** Gives all threads a program, or all but the first. */
  function push(id: number, table: number, all: boolean): number {
    // Half of the queue at a time, as waking up for every program would disturb those that run it.
    if (((last - Atomics.load(words, completed)) | 0) >= QUEUE) wait((last - QUEUE / 2) | 0);
    const entry = queue + 2 * ((last >>> 0) % QUEUE);
    words[entry] = id;
    words[entry + 1] = table / ALIGN;
    last = (last + 1) | 0;
    Atomics.store(words, all ? queued : at(CONTROL.skipped), last);
    Atomics.store(words, submitted, last);
    if (all) Atomics.notify(words, queued);
    Atomics.notify(words, submitted);
    return last;
  }
  /** The number by which the threads know a program, which they are sent if it is new. */
  function idOf(program: object, module: WebAssembly.Module): number {
    let id = ids.get(program);
    if (id === undefined) {
      ids.set(program, id = nextId++);
      for (const port of running!.ports) port.postMessage({ id, module });
    }
    return id;
  }
  return {
    isDone,
    hasPassed,
    wait,
    isIdle: () =>
      running !== undefined && Atomics.load(words, at(CONTROL.ready)) === threads && isDone(last),
    together(program, module, table, first) {
      check();
      push(idOf(program, module), table, false);
      try {
        first();
      } catch (error) {
        fail(String(error));
      }
      check();
      Atomics.store(words, completed, last);
    },
    submit(program, module, table) {
      check();
      running ??= start();
      return push(idOf(program, module), table, true);
    },
    done(number, mark = END) {
      if (failure) return Promise.reject(failure);
      if (hasPassed(number, mark)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.push({ number, mark, resolve, reject });
        settle();
      });
    },
    forget(program) {
      const id = ids.get(program);
      if (id === undefined) return;
      ids.delete(program);
      running?.ports.forEach((port) => port.postMessage({ id }));
    },
    destroy() {
      if (!running) return;
      if (!failure) push(-1, 0, true);
      keepAwake(false);
      running = undefined;
      failure ??= new DeviceError("Cannot use the cpu device: it was destroyed", "lost");
    },
  };
}
