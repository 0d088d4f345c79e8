/**
 * A model in a worker of its own.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import type { RunBatch } from "../predict/run_batch.ts";
import { WorkerPool } from "../run/worker_pool.ts";
import type { ComputeAnswer, ComputeQuestion } from "./compute_worker.ts";

/** A model that computes batches. */
export interface Engine {
  readonly device: string;
  readonly run: RunBatch;
}

/**
 * Opens a model. Its worker lives until `Deno.exit`: one that is terminated gives back its GPU, or what looked for one, while the process
 * ends in another thread, and one end in six was a crash.
 *
 * @throws InputError where its weights or the device cannot be had.
 */
export async function engine(question: ComputeQuestion): Promise<Engine> {
  const url = new URL("./compute_worker.ts", import.meta.url);
  const pool = new WorkerPool<ComputeQuestion, ComputeAnswer>({ url, work: "compute", size: 1 });
  try {
    const device = await pool.ask(question) as string;
    return { device, run: async (batch) => await pool.ask(batch) as readonly Float32Array[] };
  } catch (error) {
    throw new InputError((error as Error).message.replace(/^Cannot compute: /, ""));
  }
}
