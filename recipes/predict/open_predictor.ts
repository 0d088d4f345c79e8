/**
 * A model, opened to be asked.
 *
 * @module
 */
import type { Device } from "../../core/mod.ts";
import { modelSource } from "./model_source.ts";
import type { Tools } from "./question.ts";
import { batched, batchRunner } from "./run_batch.ts";

/**
 * Opens a run, a checkpoint or a fine-tuned model on a device; what it gives is what `embed`, `relevance`, `fillMask`, `classify`,
 * `entities`, `answer` and `choose` ask.
 *
 * @throws InputError where there is no model, or it is broken.
 */
export async function openPredictor(path: string, device: Device, limit?: number): Promise<Tools> {
  const { facts, open } = await modelSource(path, limit);
  return { facts, compute: batched(batchRunner(facts, await open(device), device), facts) };
}
