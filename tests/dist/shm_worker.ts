/** One rank in a thread of its own, for tests: sums arrays, and posts what it found. */
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { sharedMemory } from "../../dist/shm/network.ts";
import type { SharedSpace } from "../../dist/shm/space.ts";
import { openSockets } from "../../dist/transport/sockets.ts";

/** What a worker is given. */
export interface Task {
  readonly space: SharedSpace;
  readonly rank: number;
  /** Elements, and sums; endless if left out. */
  readonly length: number;
  readonly steps: number | undefined;
  /** Units: milliseconds. */
  readonly silence: number;
}

/** Joins, sums, and gives how long each sum took. Units: milliseconds. */
async function work(
  { space, rank, length, steps = Infinity, silence }: Task,
): Promise<readonly number[]> {
  const size = space.hosts, times: number[] = [];
  const addresses = Array.from({ length: size }, (_, r) => `shm://shm${r}:1`);
  const network = sharedMemory(space, rank);
  const transport = openSockets(network, { hostname: `shm${rank}`, port: 0, silence });
  const member = { job: "threads", generation: 1, group: "", rank, addresses, plan: 0 };
  try {
    const group = await joinGroup(transport, member);
    self.postMessage("joined");
    for (let step = 0; step < steps; step++) {
      const array = new Float32Array(length).fill(rank + 1);
      await group.barrier();
      const start = performance.now();
      await group.allReduce(array);
      times.push(performance.now() - start);
      const sum = size * (size + 1) / 2;
      for (const x of array) if (x !== sum) throw new RangeError(`Cannot use a sum of ${x}`);
    }
    await group.close();
  } finally {
    await transport.close();
  }
  return times;
}

self.onmessage = async ({ data }: MessageEvent<Task>) => {
  try {
    self.postMessage({ times: await work(data) });
  } catch (error) {
    const { failure, rank, message } = error instanceof DistError
      ? error
      : { failure: "bug", rank: -1, message: String(error) };
    self.postMessage({ failure, rank, message });
  }
};
