/**
 * The worker that has the model: compiling a program holds its thread for a tenth of a second and more, in which the server would hear
 * nobody.
 *
 * @module
 */
import { openDevice } from "../../core/device/open.ts";
import type { Batch } from "../predict/batch.ts";
import { modelSource } from "../predict/model_source.ts";
import { batchRunner, type RunBatch } from "../predict/run_batch.ts";
import { answer } from "../run/worker_pool.ts";

/** A model to open, which comes first, or a batch for it. */
export type ComputeQuestion =
  | { readonly path: string; readonly device: Parameters<typeof openDevice>[0]; limit: number }
  | Batch;

/** What the device is, or a batch's outputs. */
export type ComputeAnswer = string | readonly Float32Array[];

let run: RunBatch | undefined;

answer(async (question: ComputeQuestion): Promise<ComputeAnswer> => {
  if (!("path" in question)) return await run!(question);
  const { facts, open } = await modelSource(question.path, question.limit);
  const device = await openDevice(question.device);
  run = batchRunner(facts, await open(device), device);
  return device.description;
});
