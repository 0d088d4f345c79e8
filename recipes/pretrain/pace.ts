/**
 * How far the loop runs ahead of the device: far enough that the device never waits for the loop, not so far that memory
 * or Ctrl-C would suffer.
 *
 * @module
 */
import type { Device } from "../../core/mod.ts";

/** Programs queued beside the one that runs. A step of one micro-batch is two programs. */
const AHEAD = 2;
/** Programs between two waits for a GPU, where a wait costs 12 ms, however much there is to wait for. */
const GPU_AHEAD = 8;

/** Micro-batches that stand on the device at once, at most: a GPU's buffers are used again while the queue still reads them. */
export function batchesHeld(device: Device): number {
  return device.kind === "cpu" ? AHEAD + 1 : 1;
}

/**
 * A function to be awaited after every program.
 *
 * On `cpu` it waits for an earlier program than the last: the threads work on while the loop makes the next one ready. A GPU is
 * waited for now and then.
 */
export function pacer(device: Device): () => Promise<void> {
  if (device.kind === "webgpu") {
    let programs = 0;
    return async () => {
      if (++programs % GPU_AHEAD === 0) await device.synchronize();
    };
  }
  const running: Promise<void>[] = [];
  return async () => {
    const done = device.synchronize();
    done.catch(() => {}); // met when it is waited for, or by who reads the results
    running.push(done);
    if (running.length > AHEAD) await running.shift();
  };
}
