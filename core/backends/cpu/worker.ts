/**
 * One thread of the pool. `threadMain` is sent to the thread as source text, so that starting it reads no file and asks for no
 * permission: it must not refer to anything outside itself.
 *
 * @module
 */

import type { openGemm } from "./blas.ts";
import type { openTick } from "./clock.ts";

/** What a thread is given when it starts. */
export interface ThreadData {
  readonly memory: WebAssembly.Memory;
  readonly port: unknown;
  readonly thread: number;
  readonly threads: number;
  /** Word numbers in the memory: see CONTROL. */
  readonly submitted: number;
  readonly completed: number;
  readonly failed: number;
  readonly queue: number;
  readonly entries: number;
  readonly spins: number;
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

/** Runs the queued programs in order, for ever. A program number below 0 ends it. */
export function threadMain(
  node: ThreadPorts,
  open: typeof openGemm,
  clock: typeof openTick,
): void {
  const data = node.workerData as ThreadData;
  const { memory, thread, threads, submitted, completed, failed, queue, entries, spins } = data;
  const { unit, wide } = data;
  const words = new Int32Array(memory.buffer);
  const env = { memory, blas: open(memory, data.blas), tick: clock(memory) };
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
  try {
    for (let next = 0;; next = (next + 1) | 0) {
      for (let i = 0; Atomics.load(words, submitted) === next; i++) {
        if (i > spins) Atomics.wait(words, submitted, next);
      }
      const entry = queue + 2 * ((next >>> 0) % entries);
      const id = words[entry]!, table = words[entry + 1]! * unit;
      if (id < 0) return;
      while (!programs.has(id)) receive();
      programs.get(id)!(thread, threads, wide ? BigInt(table) : table);
      if (thread === 0) {
        Atomics.store(words, completed, (next + 1) | 0);
        Atomics.notify(words, completed);
        node.parentPort!.postMessage(null);
      }
    }
  } catch (error) {
    Atomics.store(words, failed, 1);
    Atomics.notify(words, completed);
    node.parentPort!.postMessage(String(error));
  }
}
