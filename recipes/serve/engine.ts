/**
 * A model in a worker of its own.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import type { RunBatch } from "../predict/run_batch.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { ComputeAnswer, ComputeQuestion } from "./compute_worker.ts";

/** A model that computes batches. Dispose of it or the program does not end. */
export interface Engine extends Disposable {
  readonly device: string;
  readonly run: RunBatch;
}

/**
 * Opens a model.
 *
 * @throws InputError where its weights or the device cannot be had.
 */
export async function engine(question: ComputeQuestion): Promise<Engine> {
  const url = new URL("./compute_worker.ts", import.meta.url);
  const pool = new WorkerPool<ComputeQuestion, ComputeAnswer>({ url, work: "compute", size: 1 });
  try {
    const device = await pool.ask(question) as string;
    return {
      device,
      run: async (batch) => await pool.ask(batch) as readonly Float32Array[],
      [Symbol.dispose]: () => pool[Symbol.dispose](),
    };
  } catch (error) {
    pool[Symbol.dispose]();
    throw new InputError((error as Error).message.replace(/^Cannot compute: /, ""));
  }
}
