/** What a group promises, on every transport. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { DistError } from "../../dist/error.ts";
import { chunkOf } from "../../dist/group/chunk.ts";
import { joinGroup } from "../../dist/group/group.ts";
import type { WireArray } from "../../dist/message/array.ts";
import { memberOf, ranks, simulated, valuesOf as valuesFrom, type Way, ways } from "./ranks.ts";
import { fc } from "../property.ts";

const SIZES = [1, 2, 3, 4, 5, 8];
/** Small, and large enough for a ring with several segments a chunk. */
const LENGTHS = [0, 1, 7, 1000, 16_385, 700_003];

/** Values that differ by rank and place, whose sum is exact. */
function valuesOf(rank: number, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => (i * 7 + rank * 13) % 1024 - 300);
}

/** The same with fractions: sums round. */
function roughOf(rank: number, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length },
    (_, i) => Math.sin(i * 0.37 + rank) * 10 ** ((i + rank) % 7),
  );
}

function sumOf(size: number, length: number): Float32Array<ArrayBuffer> {
  const sum = new Float32Array(length);
  for (let r = 0; r < size; r++) valuesOf(r, length).forEach((x, i) => sum[i]! += x);
  return sum;
}

/** The same bits: a comparison element by element takes seconds. */
function assertSame(found: Float32Array, expected: Float32Array): void {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
  if (Buffer.compare(bytes(found), bytes(expected)) === 0) return;
  assertEquals(found, expected);
  throw new RangeError("Not the same bits, of zeros or NaN");
}

function sizesOf(way: Way): readonly number[] {
  return SIZES.filter((size) => size <= way.most);
}

for (const way of ways) {
  for (const size of sizesOf(way)) {
    Deno.test(`${way.name}, ${size} ranks: allReduce sums arrays of any length`, async () => {
      const results = await ranks(way, size, async (group, rank) => {
        const sums: Float32Array[] = [];
        for (const n of LENGTHS) sums.push(await group.allReduce(valuesOf(rank, n)));
        return sums;
      });
      const expected = LENGTHS.map((n) => sumOf(size, n));
      for (const sums of results) sums.forEach((sum, i) => assertSame(sum, expected[i]!));
    });

    Deno.test(`${way.name}, ${size} ranks: allReduce gives all ranks the same bits`, async () => {
      const results = await ranks(way, size, async (group, rank) => [
        await group.allReduce(roughOf(rank, 999)),
        await group.allReduce(roughOf(rank, 300_001)),
      ]);
      for (const sums of results) sums.forEach((sum, i) => assertSame(sum, results[0]![i]!));
    });

    Deno.test(`${way.name}, ${size} ranks: reduceScatter and allGather are an allReduce`, async () => {
      for (const length of [3, 50_000, 400_001]) {
        const results = await ranks(way, size, async (group, rank) => {
          const array = valuesOf(rank, length), mine = await group.reduceScatter(array);
          const { from, to } = chunkOf(length, rank, size);
          assertSame(mine, sumOf(size, length).subarray(from, to));
          const room = new Float32Array(length);
          room.set(mine, from);
          return await group.allGather(room);
        });
        for (const sum of results) assertSame(sum, sumOf(size, length));
      }
    });

    Deno.test(`${way.name}, ${size} ranks: broadcast from any rank`, async () => {
      const results = await ranks(way, size, async (group, rank) => {
        const got: Float32Array[] = [];
        for (let root = 0; root < size; root++) {
          for (const n of [5, 300_000]) {
            got.push(await group.broadcast(valuesOf(rank, n), root));
          }
        }
        return got;
      });
      const expected = Array.from(
        { length: size },
        (_, r) => [valuesOf(r, 5), valuesOf(r, 300_000)],
      );
      for (const got of results) got.forEach((x, i) => assertSame(x, expected.flat()[i]!));
    });

    Deno.test(`${way.name}, ${size} ranks: nobody leaves a barrier before all have come`, async () => {
      const now = (): number => performance.timeOrigin + performance.now();
      const times = await ranks(way, size, async (group) => {
        const here = now();
        await group.barrier();
        return [here, now()] as const;
      });
      assert(
        Math.max(...times.map(([here]) => here)) <= Math.min(...times.map(([, left]) => left)),
      );
    });

    Deno.test(`${way.name}, ${size} ranks: send and receive between all pairs, beside the rest`, async () => {
      await ranks(way, size, async (group, rank) => {
        const others = Array.from({ length: size }, (_, r) => r).filter((r) => r !== rank);
        const sum = group.allReduce(valuesOf(rank, 100_000));
        const sends = others.flatMap((to) =>
          [1, 2].map((time) => group.send(valuesOf(rank * 10 + to + time, 30_000), to))
        );
        const receives = others.flatMap((from) =>
          [1, 2].map(async (time) => {
            const got = await group.receive(new Float32Array(30_000), from);
            assertEquals(got, valuesOf(from * 10 + rank + time, 30_000));
          })
        );
        await Promise.all([...sends, ...receives]);
        assertEquals(await sum, sumOf(size, 100_000));
      });
    });

    Deno.test(`${way.name}, ${size} ranks: split makes groups of their own`, async () => {
      const results = await ranks(way, size, async (group, rank) => {
        const half = await group.split(rank % 2);
        const sum = await half.allReduce(Int32Array.of(1 << rank));
        await group.barrier();
        await half.close();
        return [half.rank, half.size, sum[0]];
      });
      results.forEach((result, rank) => {
        const members = Array.from({ length: size }, (_, r) => r).filter((r) =>
          (r - rank) % 2 === 0
        );
        const sum = members.reduce((bits, r) => bits | 1 << r, 0);
        assertEquals(result, [members.indexOf(rank), members.length, sum]);
      });
    });
  }

  Deno.test(`${way.name}: canonical sums have the same bits for any number of ranks, on every transport`, async () => {
    const sums = (way: Way, size: number, total: number, length: number) =>
      ranks(way, size, (group, rank) => {
        const { from, to } = chunkOf(total, rank, size);
        const shards = Array.from({ length: to - from }, (_, i) => roughOf(from + i, length));
        return group.allReduceShards(shards, total, new Float32Array(length));
      });
    for (const [total, length] of [[16, 1000], [7, 100_001], [16, 300_000]] as const) {
      const [expected] = await sums(simulated(), 1, total, length);
      for (const size of sizesOf(way)) {
        for (const sum of await sums(way, size, total, length)) assertSame(sum, expected!);
      }
      const plain = new Float64Array(length);
      for (let s = 0; s < total; s++) roughOf(s, length).forEach((x, i) => plain[i]! += x);
      assert(plain.every((x, i) => Math.abs(x - expected![i]!) <= 1e-6 * 1e7));
    }
  });

  Deno.test(`${way.name}: more ranks than shards`, async () => {
    const size = Math.min(4, way.most), total = size - 1;
    const results = await ranks(way, size, (group, rank) => {
      const { from, to } = chunkOf(total, rank, size);
      const shards = Array.from({ length: to - from }, (_, i) => valuesOf(from + i, 50_000));
      return group.allReduceShards(shards, total, new Float32Array(50_000));
    });
    for (const sum of results) assertEquals(sum, sumOf(total, 50_000));
  });

  Deno.test(`${way.name}: arrays of all types, shared memory, and all reductions`, async () => {
    const size = Math.min(3, way.most), all = Array.from({ length: size }, (_, r) => r);
    const total = all.reduce((sum, rank) => sum + 10 + rank, 0);
    await ranks(way, size, async (group, rank) => {
      const makers = [Uint8Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];
      for (const make of makers) {
        for (const length of [3, 100_000]) {
          const bytes = length * make.BYTES_PER_ELEMENT;
          const array: WireArray = new make(new SharedArrayBuffer(bytes) as never);
          array.fill(10 + rank);
          assertEquals(new Set(await group.allReduce(array)), new Set([total]));
          assertEquals(
            new Set(await group.allReduce(array.fill(rank), { reduction: "max" })),
            new Set([size - 1]),
          );
          array.fill(5 + rank);
          assertEquals(new Set(await group.allReduce(array, { reduction: "min" })), new Set([5]));
        }
      }
    });
  });

  Deno.test(`${way.name}: any operations in any order, all called at once`, async () => {
    const kinds = fc.constantFrom("allReduce", "barrier", "broadcast", "allGather");
    const steps = fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 40_000 })), { maxLength: 12 });
    const property = fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 4 }),
      async (steps, size) => {
        const results = await ranks(
          way,
          size,
          (group, rank) =>
            Promise.all(steps.map(([kind, length], i) => {
              if (kind === "barrier") {
                return group.barrier();
              }
              const array = valuesOf(rank + i, length);
              if (kind === "broadcast") return group.broadcast(array, i % size);
              return kind === "allReduce" ? group.allReduce(array) : group.allGather(array);
            })),
        );
        for (const result of results) assertEquals(result, results[0]);
        steps.forEach(([kind, length], i) => {
          if (kind !== "broadcast") return;
          assertEquals(results[0]![i], valuesOf(i % size + i, length));
        });
      },
    );
    await fc.assert(property, { numRuns: way.name === "mem" ? 25 : 8 });
  });

  Deno.test(`${way.name}: ranks that differ find out by name`, async () => {
    const disagreements: readonly (readonly [
      string,
      RegExp,
      (rank: number, size: number) => readonly [number, "sum" | "max"],
    ])[] = [
      [
        "length",
        /shape \[10\].*shape \[11\]|shape \[11\].*shape \[10\]/,
        (rank) => [10 + rank, "sum"],
      ],
      [
        "length of large arrays",
        /shape \[50000\].*shape \[50001\]|shape \[50001\].*shape \[50000\]/,
        (rank) => [50_000 + rank, "sum"],
      ],
      [
        "reduction",
        /reduction sum.*reduction max|reduction max.*reduction sum/,
        (rank) => [5, rank ? "max" : "sum"],
      ],
    ];
    for (const [, words, choose] of disagreements) {
      const outcome = await way.each(2, async (transports, rank) => {
        const group = await joinGroup(transports[rank]!, memberOf(transports, rank));
        const [length, reduction] = choose(rank, 2);
        await group.allReduce(new Float32Array(length), { reduction });
      });
      for (const result of outcome) {
        assert(result.status === "rejected" && result.reason instanceof DistError);
        assertEquals(result.reason.failure, "mismatch");
        assertEquals(result.reason.operation, "allReduce #1");
        assert(words.test(result.reason.message), result.reason.message);
      }
    }
  });

  Deno.test(`${way.name}: an order of operations that differs is found out`, async () => {
    const outcome = await way.each(2, async (transports, rank) => {
      const group = await joinGroup(transports[rank]!, memberOf(transports, rank));
      await (rank ? group.barrier() : group.allReduce(new Float32Array(0)));
    });
    for (const result of outcome) {
      assert(result.status === "rejected" && result.reason instanceof DistError);
      assertEquals(result.reason.failure, "mismatch");
      assert(
        /barrier #1/.test(result.reason.message) && /allReduce #1/.test(result.reason.message),
      );
    }
  });

  Deno.test(`${way.name}: a rank that never comes is named at the deadline`, async () => {
    const last = Math.min(3, way.most) - 1;
    const outcome = await way.each(last + 1, async (transports, rank) => {
      if (rank === last) return;
      await joinGroup(transports[rank]!, memberOf(transports, rank), { deadline: 2000 });
    });
    for (const result of outcome.slice(0, last)) {
      assert(result.status === "rejected" && result.reason instanceof DistError);
      assertEquals(result.reason.failure, "deadline");
    }
    assert(outcome.some((r) => r.status === "rejected" && r.reason.rank === last));
  });

  Deno.test(`${way.name}: an operation that is taken back ends everybody's`, async () => {
    const last = Math.min(3, way.most) - 1;
    const outcome = await way.each(last + 1, async (transports, rank) => {
      const transport = transports[rank]!, stop = new AbortController(), { signal } = stop;
      const group = await joinGroup(transport, memberOf(transports, rank));
      if (rank === last) {
        transport.clock.after(50, () => stop.abort());
        return await group.receive(new Float32Array(5), 0, { signal });
      }
      return await group.allReduce(new Float32Array(1e6));
    });
    for (const result of outcome) {
      assert(result.status === "rejected" && result.reason instanceof DistError);
      assertEquals([result.reason.failure, result.reason.rank], ["aborted", last]);
    }
  });

  Deno.test(`${way.name}: who has left is named, and nothing is done after the group`, async () => {
    const outcome = await way.each(2, async (transports, rank) => {
      const group = await joinGroup(transports[rank]!, memberOf(transports, rank));
      if (rank === 1) await group.close();
      else {
        const error = await assertRejects(() => group.barrier(), DistError);
        assertEquals([error.failure, error.rank], ["closed", 1]);
      }
      await assertRejects(() => group.barrier(), DistError, "left the group");
    });
    valuesFrom(outcome);
  });

  Deno.test(`${way.name}: another size, plan, job or generation is refused`, async () => {
    const others = [
      [{ plan: 7 }, /plan 7, rank 0 has 0|plan 0, rank 1 has 7/],
      [{ job: "other" }, /job other: this is job test|job test: this is job other/],
    ] as const;
    for (const [other, words] of others) {
      const outcome = await way.each(2, async (transports, rank) => {
        const member = memberOf(transports, rank, rank ? other : {});
        await joinGroup(transports[rank]!, member, { deadline: 60_000 });
      });
      for (const result of outcome) {
        assert(result.status === "rejected" && result.reason instanceof DistError);
        assertEquals(result.reason.failure, "mismatch", result.reason.message);
        assert(words.test(result.reason.message), result.reason.message);
      }
    }
    // The one that comes late is told so too, by one that has failed meanwhile.
    const late = await way.each(2, async (transports, rank) => {
      const member = memberOf(transports, rank, rank ? { job: "other" } : {});
      if (rank === 0) await new Promise<void>((done) => transports[0]!.clock.after(300, done));
      await joinGroup(transports[rank]!, member, { deadline: rank ? 200 : 60_000 });
    });
    assert(late[0]!.status === "rejected" && /job test: this is job other/.test(late[0]!.reason));
    const [now, old] = await way.each(2, async (transports, rank) => {
      const member = memberOf(transports, rank, { generation: rank ? 1 : 2 });
      await joinGroup(transports[rank]!, member, { deadline: rank ? 60_000 : 2000 });
    });
    assert(old!.status === "rejected" && /generation 1 is over/.test(old!.reason.message));
    assert(now!.status === "rejected" && now!.reason.failure === "deadline");
  });

  Deno.test(`${way.name}: groups of the next generation work on the same transports`, async () => {
    const outcome = await way.each(2, async (transports, rank) => {
      for (const generation of [1, 2, 3]) {
        const member = memberOf(transports, rank, { generation });
        const group = await joinGroup(transports[rank]!, member);
        const [sum] = await group.allReduce(Float32Array.of(rank + generation));
        assertEquals(sum, 1 + 2 * generation);
        await group.close();
      }
    });
    valuesFrom(outcome);
  });

  Deno.test.afterAll(() => way.end?.());
}

Deno.test("group: wrong calls are refused before anything is sent", async () => {
  await ranks(ways[0]!, 2, async (group) => {
    const three = new Float32Array(3);
    await assertRejects(() => group.allReduce(three, { shape: [2, 2] }), TypeError, "as [2,2]");
    await assertRejects(() => group.send(three, group.rank), RangeError, "another of the ranks");
    await assertRejects(() => group.broadcast(three, 2), RangeError, "rank 2");
    await assertRejects(() => group.allReduceShards([three], 8, three), RangeError, "1 shards");
    await assertRejects(() => group.split(-1), RangeError, "color -1");
    const wrong = [new Float64Array(3), new Float64Array(3)];
    const longs = new BigInt64Array(3) as never;
    await assertRejects(() => group.allReduce(longs), TypeError, "Cannot send a BigInt64Array");
    await assertRejects(() => group.allReduceShards(wrong, 4, three as never), TypeError, "alike");
    await group.barrier();
  });
});
