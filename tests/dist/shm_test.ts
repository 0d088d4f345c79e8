/** Shared memory between real threads; the conformance suite runs it within one. */
import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { sharedMemory } from "../../dist/shm/network.ts";
import { createSharedSpace } from "../../dist/shm/space.ts";
import { leastOf } from "../least.ts";
import { within } from "../within.ts";
import type { Task } from "./shm_worker.ts";

/** What a thread posts at its end. */
interface Said {
  readonly times?: readonly number[];
  readonly failure?: string;
  readonly rank?: number;
  readonly message?: string;
}

interface Thread {
  readonly worker: Worker;
  readonly joined: Promise<void>;
  readonly said: Promise<Said>;
}

/** Runs something with threads that sum arrays, endlessly where no steps are given, and ends them. */
async function withThreads<T>(
  task: Pick<Task, "length" | "silence"> & {
    readonly size: number;
    readonly steps?: number;
    readonly hosts?: number;
    readonly connections?: number;
  },
  use: (threads: readonly Thread[]) => Promise<T>,
): Promise<T> {
  const { size, hosts = size, connections, ...given } = task;
  const space = createSharedSpace({ hosts, ...connections && { connections } });
  const threads = Array.from({ length: size }, (_, rank): Thread => {
    const worker = new Worker(new URL("shm_worker.ts", import.meta.url), { type: "module" });
    const joined = Promise.withResolvers<void>(), said = Promise.withResolvers<Said>();
    worker.onmessage = ({ data }) => {
      if (data === "joined") return joined.resolve();
      said.resolve(data);
      joined.reject(new RangeError(`Rank ${rank} ended before it had joined: ${data.message}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const waiting of [joined, said]) {
        waiting.reject(new RangeError(`The thread of rank ${rank} failed: ${event.message}`));
      }
    };
    for (const { promise } of [joined, said]) promise.catch(() => {});
    worker.postMessage({ space, rank, steps: undefined, ...given } satisfies Task);
    return { worker, joined: joined.promise, said: said.promise };
  });
  try {
    return await use(threads);
  } finally {
    for (const { worker } of threads) worker.terminate();
  }
}

Deno.test("threads: ranks sum arrays in shared memory", async () => {
  for (const size of [2, 3]) {
    await withThreads({ size, length: 500_000, steps: 20, silence: 60_000 }, async (threads) => {
      for (
        const { times, message } of await within(
          "sums",
          Promise.all(threads.map(({ said }) => said)),
        )
      ) {
        assertEquals([message, times?.length], [undefined, 20]);
      }
    });
  }
});

Deno.test("threads: one that ends without a word is missed", async () => {
  const silence = 5000;
  const measure = (): Promise<number> =>
    withThreads({ size: 3, length: 100_000, silence }, async (threads) => {
      await within("all to join", Promise.all(threads.map(({ joined }) => joined)));
      threads[1]!.worker.terminate();
      const start = performance.now();
      for (const rank of [0, 2]) {
        const { failure, rank: at } = await within(`rank ${rank}`, threads[rank]!.said);
        assertEquals([failure, at], ["stalled", 1]);
      }
      return performance.now() - start;
    });
  assertLess(await leastOf(silence + 1500, measure), silence + 1500);
});

Deno.test("threads: one that fails says why, in the group and before it has one", async () => {
  const given = { size: 2, length: 1, silence: 60_000 };
  const early = withThreads(
    { ...given, connections: 1 },
    (threads) => within("a failure", Promise.race(threads.map(({ joined }) => joined))),
  );
  await assertRejects(() => early, RangeError, "all 1 connections are in use");
  const broken = await withThreads(
    { ...given, hosts: 1 },
    (threads) => within("a failure", threads[1]!.said),
  );
  assertEquals([broken.failure, broken.message], [
    "bug",
    "RangeError: Cannot be host 1: there are hosts 0 to 0",
  ]);
});

Deno.test("threads: hosts, windows and names that cannot be are refused", async () => {
  assertThrows(() => createSharedSpace({ hosts: 2, window: 1000 }), RangeError, "power of two");
  const space = createSharedSpace({ hosts: 2, connections: 1 });
  assertThrows(() => sharedMemory(space, 2), RangeError, "host 2");
  const first = sharedMemory(space, 0), second = sharedMemory(space, 1);
  assertThrows(() => first.listen({ hostname: "shm1", port: 0 }), DistError, "this is shm0");
  const place = { hostname: "shm1", port: 1 };
  await assertRejects(() => first.connect(place), DistError, "nobody listens");
  await assertRejects(
    () => first.connect({ hostname: "shm7", port: 1 }),
    DistError,
    "no such host",
  );
  const listener = second.listen(place);
  assertThrows(() => second.listen(place), DistError, "another one listens");
  const [stream, taken] = await Promise.all([first.connect(place), listener.accept()]);
  await assertRejects(() => first.connect(place), DistError, "all 1 connections");
  stream.close();
  assertEquals(await taken.read(new Uint8Array(1)), null);
  taken.close();
  taken.close();
  const again = await first.connect(place);
  await assertRejects(() => stream.write(new Uint8Array(1)), DistError, "closed");
  listener.close();
  await assertRejects(() => listener.accept(), DistError, "the listener was closed");
  assertEquals(await again.read(new Uint8Array(1)), null);
  again.close();
});
