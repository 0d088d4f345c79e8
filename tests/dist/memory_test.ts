/** Memory that ranks share: any operation, any number of ranks and hosts, windows of any size; the conformance suite runs on it too. */
import { assert, assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { chunkOf } from "../../dist/group/chunk.ts";
import { tcp } from "../../dist/net/tcp.ts";
import type { GroupEvent } from "../../dist/observer.ts";
import { alone } from "../../dist/parallel/alone.ts";
import type { SharingOptions } from "../../dist/shm/host/engine.ts";
import { shareMemory } from "../../dist/shm/host/share_memory.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import type { Engine, Transport } from "../../dist/transport/transport.ts";
import { fc } from "../property.ts";
import { skip } from "../skip.ts";
import { type LocalWay, localWay, memberOf, ranks, valuesOf } from "./ranks.ts";

const isLinux = Deno.build.os === "linux";
if (!isLinux) skip("memory", "it takes Linux");
const test = isLinux ? Deno.test : Deno.test.ignore;

/** Ranks of this process; those with the same letter of `hosts` share memory. */
function sharing(hosts: string, options: SharingOptions = {}): LocalWay {
  return localWay("memory", hosts.length, async (size, f) => {
    const transports = Array.from(
      { length: size },
      (_, rank) =>
        shareMemory(openSockets(tcp(), { hostname: "127.0.0.1", port: 0 }), {
          host: hosts[rank]!,
          moment: 0,
          ...options,
        }),
    );
    try {
      return await f(transports);
    } finally {
      await Promise.all(transports.map((transport) => transport.close()));
    }
  });
}

/** Values whose sums round. */
function roughOf(seed: number, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length },
    (_, i) => Math.sin(i * 0.37 + seed) * 10 ** ((i + seed) % 7),
  );
}

const hostsOf = fc.array(fc.constantFrom("a", "b"), { minLength: 2, maxLength: 4 })
  .map((letters) => letters.join(""));
const stepOf = fc.record({
  kind: fc.constantFrom("allReduce", "shards", "reduceScatter", "allGather", "broadcast"),
  length: fc.oneof(fc.nat(40), fc.nat(3000)),
  total: fc.integer({ min: 1, max: 9 }),
});

test("memory: any operations on any hosts give what one process would, to the bit where that is promised", async () => {
  const property = fc.asyncProperty(
    hostsOf,
    fc.array(stepOf, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(8, 9, 64),
    async (hosts, steps, kib) => {
      const size = hosts.length, way = sharing(hosts, { window: size * kib << 10 });
      await ranks(way, size, async (group, rank) => {
        for (const [i, { kind, length, total }] of steps.entries()) {
          const of = (rank: number): Int32Array =>
            Int32Array.from({ length }, (_, at) => at * 7 + rank * 13 + i);
          const sum = Array.from({ length: size }, (_, r) => of(r)).reduce((a, b) =>
            a.map((x, at) => x + b[at]!)
          );
          const { from, to } = chunkOf(length, rank, size);
          if (kind === "allReduce") assertEquals(await group.allReduce(of(rank)), sum);
          else if (kind === "broadcast") {
            assertEquals(await group.broadcast(of(rank), total % size), of(total % size));
          } else if (kind === "reduceScatter") {
            assertEquals(await group.reduceScatter(of(rank)), sum.subarray(from, to));
          } else if (kind === "allGather") {
            const all = new Int32Array(length);
            all.set(sum.subarray(from, to), from);
            assertEquals(await group.allGather(all), sum);
          } else {
            const shards = (from: number, to: number) =>
              Array.from({ length: to - from }, (_, s) => roughOf(from + s, length));
            const mine = chunkOf(total, rank, size), into = () => new Float32Array(length);
            const [found, expected] = await Promise.all([
              group.allReduceShards(shards(mine.from, mine.to), total, into()),
              alone().allReduceShards(shards(0, total), total, into()),
            ]);
            assertEquals(found, expected);
          }
        }
      });
    },
  );
  await fc.assert(property, { numRuns: 200 });
});

/** Places of this process at which memory of ours is mapped. Asked of the shell, as Deno lets only those who may do everything look. */
async function mapped(): Promise<number> {
  const args = ["-c", `grep -c memfd:motian /proc/${Deno.pid}/maps`];
  const { stdout } = await new Deno.Command("sh", { args }).output();
  return Number(new TextDecoder().decode(stdout));
}

test("memory: a group gives it back at its end, in good order or not", async () => {
  const before = await mapped();
  await ranks(sharing("aa"), 2, async (group) => {
    assertGreater(await mapped(), before);
    await group.barrier();
  });
  assertEquals(await mapped(), before);
  await sharing("aa").each(2, async (transports, rank) => {
    const group = await joinGroup(transports[rank]!, memberOf(transports, rank));
    const signal = AbortSignal.timeout(50);
    if (rank) await assertRejects(() => group.receive(new Uint8Array(1), 0, { signal }));
    else await assertRejects(() => group.barrier(), DistError, "took back");
    await assertRejects(() => group.allReduce(new Float32Array(5)));
  });
  assertEquals(await mapped(), before);
});

test("memory: a rank that stays away from an operation is named at the deadline", async () => {
  const outcomes = await sharing("aa").each(2, async (transports, rank) => {
    const group = await joinGroup(transports[rank]!, memberOf(transports, rank));
    if (rank === 1) return await new Promise<void>((done) => group.onFailure(() => done()));
    await group.allReduce(new Float32Array(1e5), { deadline: 500 });
  });
  const [first] = outcomes;
  assert(first?.status === "rejected" && first.reason instanceof DistError);
  assertEquals([first.reason.failure, first.reason.rank], ["deadline", 1]);
});

/** A rank that comes to an operation, as all agree on it, and then gives nothing. */
function idle(transport: Transport): Transport {
  return {
    ...transport,
    join(member) {
      const links = transport.join(member);
      const allReduce = () => new Promise<void>((_, reject) => links.onFailure(reject));
      return { ...links, engine: { ...links.engine!, allReduce } };
    },
  };
}

test("memory: whom an operation waits for in memory is named, and the observer told", async () => {
  const seen: GroupEvent[] = [];
  const outcomes = await sharing("aaa").use(
    3,
    (transports) =>
      Promise.allSettled(transports.map(async (transport, rank) => {
        const group = await joinGroup(
          rank === 1 ? idle(transport) : transport,
          memberOf(transports, rank),
          { ...rank === 0 && { observer: (event) => void seen.push(event) } },
        );
        await group.allReduce(new Float32Array(1e5), rank === 0 ? { deadline: 500 } : {});
      })),
  );
  const [first] = outcomes;
  assert(first?.status === "rejected" && first.reason instanceof DistError);
  assertEquals([first.reason.failure, first.reason.rank], ["deadline", 1]);
  const failed = seen.find((event) => event.kind === "failed");
  assert(failed?.kind === "failed");
  assertEquals(
    failed.open.map(({ operation, waiting }) => [operation.operation, waiting]),
    [["allReduce", [1]]],
  );
});

test("memory: whom it waits for is not looked up in memory that was given back", async () => {
  const engines: Engine[] = [];
  await sharing("aa").use(2, (transports) =>
    Promise.all(transports.map(async (transport, rank) => {
      const kept: Transport = {
        ...transport,
        join(member) {
          const links = transport.join(member);
          engines.push(links.engine!);
          return links;
        },
      };
      const group = await joinGroup(kept, memberOf(transports, rank));
      await group.allReduce(new Float32Array(5));
      await group.close();
    })));
  assertEquals(engines.map((engine) => engine.behind!()), [[], []]);
});

test("memory: windows that are too small are refused", async () => {
  const outcomes = await sharing("aa", { window: 1000 }).each(2, async (transports, rank) => {
    await joinGroup(transports[rank]!, memberOf(transports, rank));
  });
  for (const outcome of outcomes) {
    assertEquals(outcome.status, "rejected");
  }
  assertThrows(
    () => valuesOf(outcomes),
    RangeError,
    "Cannot share windows of 1000 bytes among 2 ranks",
  );
});
