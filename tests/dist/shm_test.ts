/** Shared memory between real threads; the conformance suite runs it within one. */
import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { sharedMemory } from "../../dist/shm/network.ts";
import { createSharedSpace } from "../../dist/shm/space.ts";

interface Thread {
  readonly worker: Worker;
  readonly joined: Promise<void>;
  readonly said: Promise<Readonly<Record<string, unknown>>>;
}

function threads(size: number, length: number, steps?: number): readonly Thread[] {
  const space = createSharedSpace({ hosts: size });
  return Array.from({ length: size }, (_, rank) => {
    const worker = new Worker(new URL("shm_worker.ts", import.meta.url), { type: "module" });
    const joined = Promise.withResolvers<void>();
    const said = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    worker.onmessage = ({ data }) => data === "joined" ? joined.resolve() : said.resolve(data);
    worker.postMessage({ space, rank, length, steps });
    return { worker, joined: joined.promise, said: said.promise };
  });
}

Deno.test("threads: ranks sum arrays in shared memory", async () => {
  for (const size of [2, 3]) {
    const all = threads(size, 500_000, 20);
    const results = await Promise.all(all.map(({ said }) => said));
    for (const { worker } of all) worker.terminate();
    for (const { times, message } of results) {
      assertEquals([message, (times as number[] | undefined)?.length], [undefined, 20]);
    }
  }
});

Deno.test("threads: one that ends without a word is missed", async () => {
  const all = threads(3, 100_000);
  await Promise.all(all.map(({ joined }) => joined));
  await new Promise((resolve) => setTimeout(resolve, 100));
  all[1]!.worker.terminate();
  const start = performance.now();
  for (const rank of [0, 2]) {
    const { failure, rank: at } = await all[rank]!.said;
    assertEquals([failure, at], ["stalled", 1]);
    assertLess(performance.now() - start, 2500);
    all[rank]!.worker.terminate();
  }
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
