/** What communication in a thread of its own is for; that it is a transport like others is group_test.ts's to say. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { type Group, type GroupTransport, joinGroup } from "../../dist/group/group.ts";
import type { GroupEvent } from "../../dist/observer.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { sharedMemory } from "../../dist/shm/network.ts";
import { createSharedSpace } from "../../dist/shm/space.ts";
import { errorOf, wordsOf } from "../../dist/thread/error_words.ts";
import { openThread, type ThreadOptions } from "../../dist/thread/open_thread.ts";
import { openSockets, type SocketTransportOptions } from "../../dist/transport/sockets.ts";
import { within } from "../within.ts";
import { memberOf } from "./ranks.ts";
import type { Hanging } from "./thread_worker.ts";

const place = { network: { kind: "tcp" }, hostname: "127.0.0.1", port: 0 } as const;

/** Two ranks of this process in threads of their own, both with this main thread. */
async function withTwo(
  options: readonly ThreadOptions[],
  use: (groups: readonly Group[], transports: readonly GroupTransport[]) => Promise<void>,
): Promise<void> {
  const transports = await Promise.all(options.map(openThread));
  try {
    const groups = await Promise.all(
      transports.map((transport, rank) => joinGroup(transport, memberOf(transports, rank))),
    );
    await use(groups, transports);
  } finally {
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

const never = new Int32Array(new SharedArrayBuffer(4));
/** Stands still: no turn of the event loop for so many milliseconds. */
const stand = (ms: number): unknown => Atomics.wait(never, 0, 0, ms);

Deno.test("thread: a main thread that stands still for longer than a silence is not taken for stopped", async () => {
  const patient = { ...place, silence: 1500 };
  await withTwo([patient, patient], async (groups) => {
    stand(5000);
    const sums = await Promise.all(groups.map((group) => group.allReduce(Float32Array.of(2, 3))));
    for (const sum of sums) assertEquals(sum, Float32Array.of(4, 6));
  });
});

Deno.test("thread: what was asked goes on in shared memory while the main thread stands still", async () => {
  await withTwo([place, place], async (groups) => {
    const length = 700_000;
    const arrays = groups.map((_, rank) =>
      new Float32Array(new SharedArrayBuffer(4 * length)).fill(rank + 1)
    );
    const sums = Promise.all(groups.map((group, rank) => group.allReduce(arrays[rank]!)));
    const isSummed = (array: Float32Array): boolean => array.every((x) => x === 3);
    for (let i = 0; i < 2000 && !arrays.every(isSummed); i++) stand(10);
    assert(arrays.every(isSummed), "nothing came while no message was taken");
    assertEquals((await sums)[0], arrays[0]);
  });
});

Deno.test("thread: a main thread that hangs is named by the others", async () => {
  const worker = new Worker(new URL("thread_worker.ts", import.meta.url), { type: "module" });
  const transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0, silence: 60_000 });
  try {
    const address = Promise.withResolvers<string>(),
      told: Hanging = {
        first: transport.address,
        hang: 1000,
      };
    worker.onmessage = ({ data }) => address.resolve(data);
    worker.postMessage(told);
    const addresses = [transport.address, await within("an address", address.promise)];
    const member = { job: "hang", generation: 1, group: "", rank: 0, addresses, plan: 0 };
    const group = await joinGroup(transport, member);
    await group.barrier();
    const error = await within("a hang", assertRejects(() => group.barrier(), DistError));
    assertEquals([error.failure, error.rank], ["stalled", 1], error.message);
    assert(/its main thread has done nothing for \d/.test(error.message), error.message);
  } finally {
    worker.terminate();
    await transport.close();
  }
});

Deno.test("thread: who ends a group tells all, and each knows it without asking", async () => {
  await withTwo([place, place], async (groups) => {
    const heard = groups.map((group) => {
      const { promise, resolve } = Promise.withResolvers<DistError>();
      group.onFailure(resolve);
      return promise;
    });
    groups[1]!.abort(new DistError("Rank 1 has had enough", "aborted", { rank: 1 }));
    for (const failure of heard) {
      const error = await within("a failure", failure);
      assertEquals([error.failure, error.rank], ["aborted", 1], error.message);
    }
    await assertRejects(() => groups[0]!.barrier(), DistError, "has had enough");
  });
});

Deno.test("thread: threads of one process by shared memory, and after the end nothing", async () => {
  const space = createSharedSpace({ hosts: 2 });
  const options = [0, 1].map((host): ThreadOptions => ({
    network: { kind: "shm", space, host },
    hostname: `shm${host}`,
    port: 0,
  }));
  let left: readonly Group[] = [];
  await withTwo(options, async (groups) => {
    const sums = await Promise.all(groups.map((group) => group.allReduce(Int32Array.of(7))));
    for (const sum of sums) assertEquals(sum, Int32Array.of(14));
    left = groups;
  });
  for (const group of left) {
    const error = await assertRejects(() => group.barrier(), DistError, "left the group");
    assertEquals(error.failure, "closed");
  }
  // The main thread's own side is still free to be taken.
  sharedMemory(space, 0).listen({ hostname: "shm0", port: 0 }).close();
});

Deno.test("thread: a place that cannot be listened on is refused, and the thread ends", async () => {
  const first = await openThread(place), port = Number(/\d+$/.exec(first.address)![0]);
  const taken = await assertRejects(() => openThread({ ...place, port }), DistError);
  assertEquals(taken.failure, "address");
  await first.close();
  await first.close();
  await assertRejects(
    () => openThread({ ...place, hostname: "0.0.0.0" }),
    DistError,
    "without a token",
  );
});

Deno.test("thread: a clock of the main thread's is refused", async () => {
  const own: SocketTransportOptions = { hostname: "127.0.0.1", port: 0, wall: () => 0 };
  await assertRejects(
    () => openThread({ ...own, network: { kind: "tcp" } }),
    TypeError,
    "Cannot open a thread with a wall clock",
  );
});

/** Opens a thread that can be made to fail, by an order that makes no sense. */
async function fragile(): Promise<readonly [GroupTransport, fail: () => void]> {
  const { Worker } = globalThis;
  let worker: Worker | undefined;
  globalThis.Worker = new Proxy(Worker, {
    construct: (_, [url, options]) => worker = new Worker(url, options),
  });
  try {
    const transport = await openThread(place);
    return [transport, () => worker!.postMessage({ abort: 99, error: wordsOf("no such group") })];
  } finally {
    globalThis.Worker = Worker;
  }
}

Deno.test("thread: one that fails ends its groups: all are told, observers and who asks later too", async () => {
  const [first, fail] = await fragile(), other = await openThread(place);
  const transports = [first, other], events: GroupEvent[] = [];
  const [group] = await Promise.all([
    joinGroup(first, memberOf(transports, 0), { observer: (event) => void events.push(event) }),
    joinGroup(other, memberOf(transports, 1)),
  ]);
  // A group that was over before fails once.
  const one = { ...memberOf([first], 0), job: "alone" };
  const alone = await joinGroup(first, one, { observer: (event) => void events.push(event) });
  await alone.close();
  const summed = assertRejects(() => group.allReduce(new Float32Array(4)), DistError, "thread");
  const early = new Promise<DistError>((resolve) => group.onFailure(resolve));
  const isSumming = (): boolean =>
    events.some((e) => e.kind === "begun" && e.operation.operation === "allReduce");
  while (!isSumming()) await new Promise((resolve) => setTimeout(resolve, 5));
  fail();
  const error = await within("a failure", early);
  assertEquals([error.failure, (await summed).failure], ["lost", "lost"], error.message);
  const late = new Promise<DistError>((resolve) => group.onFailure(resolve));
  assertEquals(await within("the same failure", late), error);
  const failed = events.flatMap((event) =>
    event.kind === "failed"
      ? [[
        event.group.job,
        event.error.failure,
        ...event.open.map(({ operation }) => operation.operation),
      ]]
      : []
  );
  assertEquals(failed, [["alone", "closed"], ["test", "lost", "allReduce"]]);
  await other.close();
});

Deno.test("thread: errors keep their class, rank, operation and cause", () => {
  const cause = new RangeError("Deep"), lost = { rank: 3, operation: "allReduce #1", cause };
  const error = errorOf(wordsOf(new DistError("Lost rank 3", "lost", lost)));
  assert(error instanceof DistError && error.cause instanceof RangeError);
  assertEquals([error.failure, error.rank, error.operation], ["lost", 3, "allReduce #1"]);
  assert(errorOf(wordsOf(new TypeError("Odd"))) instanceof TypeError);
  assertEquals(errorOf(wordsOf(new SyntaxError("X"))).message, "SyntaxError: X");
  assertEquals(errorOf(wordsOf("words")).message, "words");
  const other = errorOf(wordsOf(new DistError("Another", "aborted", { cause })), "why");
  assertEquals(other.cause, "why");
});
