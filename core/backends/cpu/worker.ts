/**
 * One thread of the pool. `threadMain` is sent to the thread as source text, so that starting it reads no file and asks for no
 * permission: it must not refer to anything outside itself.
 *
 * @module
 */

import type { openGemm } from "./blas.ts";
import type { openTick } from "./clock.ts";
import type { CONTROL } from "./memory.ts";

/** What a thread is given when it starts. */
export interface ThreadData {
  readonly memory: WebAssembly.Memory;
  readonly port: unknown;
  readonly thread: number;
  readonly threads: number;
  /** Addresses of what threads share. */
  readonly control: typeof CONTROL;
  readonly entries: number;
  /** Milliseconds that a thread looks for work before it sleeps. */
  readonly spin: number;
  /** Tables' addresses stand in the queue divided by this. */
  readonly unit: number;
  /** Programs take addresses of 64 bits. */
  readonly wide: boolean;
  /** The system's BLAS. */
  readonly blas: string | undefined;
}

/** A program for a thread to keep, or without a module, to forget. */
export interface ProgramMessage {
  readonly id: number;
  readonly module?: WebAssembly.Module;
}

/** The part of node:worker_threads that a thread uses. */
export interface ThreadPorts {
  readonly workerData: unknown;
  readonly parentPort: { postMessage(message: unknown): void } | null;
  receiveMessageOnPort(port: unknown): { readonly message: ProgramMessage } | undefined;
}

/** Runs the submitted programs in order, for ever. A program number below 0 ends it. */
export function threadMain(
  node: ThreadPorts,
  open: typeof openGemm,
  clock: typeof openTick,
): void {
  const data = node.workerData as ThreadData;
  const { memory, thread, threads, entries, spin, unit, wide } = data;
  const at = (address: number): number => address / 4;
  const [submitted, queued] = [at(data.control.submitted), at(data.control.queued)];
  const [completed, wanted] = [at(data.control.completed), at(data.control.wanted)];
  const [failed, generation] = [at(data.control.failed), at(data.control.generation)];
  const [passed, marked] = [at(data.control.passed), at(data.control.mark)];
  const words = new Int32Array(memory.buffer);
  let current = 0;
  /** Of programs that this pool runs the first thread says how far they are, and tells who waits for it. */
  const mark = (count: number): void => {
    Atomics.store(words, passed, count);
    if (Atomics.load(words, wanted) !== current || Atomics.load(words, marked) > count) return;
    node.parentPort!.postMessage(null);
  };
  const env = { memory, blas: open(memory, data.blas), tick: clock(memory), mark };
  type Run = (thread: number, threads: number, table: number | bigint) => void;
  const programs = new Map<number, Run>();
  const receive = (): void => {
    for (;;) {
      const received = node.receiveMessageOnPort(data.port);
      if (!received) return;
      const { id, module } = received.message;
      if (!module) programs.delete(id);
      else {
        const instance = new WebAssembly.Instance(module, { env });
        programs.set(id, instance.exports.run as Run);
      }
    }
  };
  // The first thread hears nothing of programs that the calling thread runs in its place.
  const news = thread === 0 ? queued : submitted;
  const pause = (Atomics as { readonly pause?: () => void }).pause ?? (() => {});
  const rest = (seen: number): void => {
    const end = performance.now() + spin;
    while (Atomics.load(words, news) === seen) {
      for (let i = 0; i < 32 && Atomics.load(words, news) === seen; i++) pause();
      if (performance.now() > end) Atomics.wait(words, news, seen);
    }
  };
  try {
    Atomics.add(words, at(data.control.ready), 1);
    for (let next = 0;; next = (next + 1) | 0) {
      rest(next);
      if (thread === 0) {
        const skipped = Atomics.load(words, at(data.control.skipped));
        if (((skipped - next) | 0) > 0) next = skipped;
      }
      const entry = at(data.control.queue) + 2 * ((next >>> 0) % entries);
      const id = words[entry]!, table = words[entry + 1]! * unit;
      if (id < 0) return;
      while (!programs.has(id)) receive();
      current = (next + 1) | 0;
      programs.get(id)!(thread, threads, wide ? BigInt(table) : table);
      if (thread > 0) continue;
      // Before the program is completed: what is passed then is of the next one.
      Atomics.store(words, passed, 0);
      Atomics.store(words, completed, current);
      Atomics.notify(words, completed);
      if (Atomics.load(words, wanted) === current) node.parentPort!.postMessage(null);
    }
  } catch (error) {
    Atomics.store(words, failed, 1);
    // Nobody waits at a barrier any more.
    Atomics.add(words, generation, 1);
    Atomics.notify(words, generation);
    Atomics.notify(words, completed);
    node.parentPort!.postMessage(String(error));
  }
}
