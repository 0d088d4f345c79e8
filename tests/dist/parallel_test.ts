/** Exchanges of gradients between any number of ranks. */
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { DistError } from "../../dist/error.ts";
import { alone, type Collective } from "../../dist/parallel/alone.ts";
import { bucketsOf } from "../../dist/parallel/buckets.ts";
import { compareChecksums } from "../../dist/parallel/checksums.ts";
import { createExchange, type Exchanged } from "../../dist/parallel/exchange.ts";
import { ownersOf, shareLeaves } from "../../dist/parallel/owners.ts";
import { swap } from "../../dist/parallel/swap.ts";
import { localWays, ranks, simulated } from "./ranks.ts";

const mem = simulated(), V = 8, lengths = [1000, 3, 70_000, 0, 17];

/** A shard's gradients, which round when they are summed. */
function gradients(shard: number, step: number): Float32Array[] {
  return lengths.map((length, leaf) =>
    Float32Array.from(
      { length },
      (_, i) => Math.sin(i * 0.37 + shard + leaf) * 10 ** ((i + shard + step) % 5),
    )
  );
}

/** Two steps of a rank. */
async function exchange(
  group: Collective,
  { shards, mean = false }: { readonly shards: number; readonly mean?: boolean },
): Promise<readonly Exchanged[]> {
  const steps: Exchanged[] = [];
  const { add, sum, own } = createExchange(group, { lengths, shards, mean, bucketBytes: 100_000 });
  for (const step of [0, 1]) {
    const parts = shards > 0
      ? own
      : { from: V * own.from / group.size, to: V * own.to / group.size };
    if (shards > 0) {
      for (let s = parts.from; s < parts.to; s++) add(gradients(s, step), s + 1);
    } else {
      const all = Array.from({ length: parts.to - parts.from }, (_, i) => parts.from + i);
      const sums = all.map((s) => gradients(s, step)).reduce((a, b) =>
        a.map((x, leaf) => x.map((y, i) => y + b[leaf]![i]!))
      );
      add(sums, all.reduce((n, s) => n + s + 1, 0));
    }
    steps.push(await sum());
  }
  return steps;
}

const flat = ({ arrays }: Exchanged): Float32Array => {
  const all = new Float32Array(lengths.reduce((a, b) => a + b));
  let at = 0;
  for (const array of arrays) all.set(array, (at += array.length) - array.length);
  return all;
};
const norm = (x: Float32Array): number => Math.sqrt(x.reduce((sum, y) => sum + y * y, 0));

Deno.test("buckets hold every leaf once, the last first, and no more than they may", () => {
  const buckets = bucketsOf([10, 20, 0, 5, 400, 1], 100);
  assertEquals(buckets.map(({ parts }) => parts.map(({ leaf, at }) => [leaf, at])), [
    [[5, 0]],
    [[4, 0]],
    [[3, 0], [2, 5], [1, 5]],
    [[0, 0]],
  ]);
  assertEquals(buckets.map(({ length }) => length), [1, 400, 25, 10]);
});

Deno.test("buckets hold leaves in the order that is told, and an order without one of them is refused", () => {
  const [only] = bucketsOf([1, 2, 3], 100, (leaf) => leaf !== 2, [1, 2, 0]);
  assertEquals(only!.parts.map(({ leaf, at }) => [leaf, at]), [[1, 0], [0, 2]]);
  for (const order of [[0, 1], [0, 1, 1], [0, 1, 3]]) {
    assertThrows(
      () => createExchange(alone(), { lengths: [1, 2, 3], order }),
      RangeError,
      `in the order [${order}]`,
    );
  }
});

Deno.test("an exchange sums what all ranks have, within 1e-6 of the gradient's norm", async () => {
  const expected = await exchange(alone(), { shards: 0 });
  for (const size of [2, 4, 8]) {
    for (const steps of await ranks(mem, size, (group) => exchange(group, { shards: 0 }))) {
      steps.forEach((found, step) => {
        const [a, b] = [flat(found), flat(expected[step]!)];
        assertLess(norm(a.map((x, i) => x - b[i]!)), 1e-6 * norm(b));
        assertEquals(found.weight, V * (V + 1) / 2);
      });
    }
  }
});

Deno.test("a canonical exchange gives 1, 2, 3, 4, 5 and 8 ranks the same bits, mean or sum", async () => {
  for (const mean of [false, true]) {
    const expected = await exchange(alone(), { shards: V, mean });
    const size = 36, rough = flat((await exchange(alone(), { shards: 0, mean }))[0]!);
    const exact = flat(expected[0]!);
    assertLess(norm(exact.map((x, i) => x - rough[i]!)), 1e-6 * norm(rough));
    for (const W of [1, 2, 3, 4, 5, 8]) {
      for (const steps of await ranks(mem, W, (group) => exchange(group, { shards: V, mean }))) {
        steps.forEach((found, step) => {
          const [a, b] = [found, expected[step]!].map((x) => Buffer.from(flat(x).buffer));
          assertEquals(Buffer.compare(a!, b!), 0, `${W} ranks, step ${step}`);
          assertEquals(found.weight, size);
        });
      }
    }
  }
});

/** Two steps of a rank whose leaves come in an order and at times of its own. */
async function exchangeReady(
  group: Collective,
  options: { readonly shards: number; readonly wire?: "bf16"; readonly isEarly: boolean },
): Promise<readonly Exchanged[]> {
  const steps: Exchanged[] = [], { isEarly, ...others } = options, exact = [1];
  const exchange = createExchange(group, { lengths, bucketBytes: 4000, exact, ...others });
  for (const step of [0, 1]) {
    for (let s = exchange.own.from; s < exchange.own.to; s++) {
      const arrays = gradients(s, step);
      if (!isEarly) exchange.add(arrays, s + 1);
      else {
        const leaves = arrays.map(async (array, leaf) => {
          // Turns of the event loop: others' leaves come at other times.
          for (let i = 0; i < (7 * leaf + 5 * s + step) % 9; i++) {
            await new Promise((resolve) => setTimeout(resolve, 0));
          }
          return array;
        });
        await exchange.addReady(leaves, s + 1);
      }
    }
    steps.push(await exchange.sum());
  }
  return steps;
}

Deno.test("leaves that come one by one, in any order, change no bit", async () => {
  const ws = localWays.find(({ name }) => name === "ws")!;
  for (const options of [{ shards: 0 }, { shards: V }, { shards: 0, wire: "bf16" as const }]) {
    const run = (isEarly: boolean) =>
      ranks(ws, 3, (group) => exchangeReady(group, { ...options, isEarly }));
    const expected = await run(false), found = await run(true);
    found.forEach((steps, rank) =>
      steps.forEach((sums, step) => {
        assertEquals(flat(sums), flat(expected[rank]![step]!), `rank ${rank}, step ${step}`);
        assertEquals(sums.weight, expected[0]![step]!.weight);
      })
    );
  }
});

Deno.test("a bucket is on its way before the leaves of the next are there", async () => {
  const sent: number[] = [], first = Promise.withResolvers<Float32Array>();
  const group: Collective = {
    ...alone(),
    allReduce(array) {
      sent.push(array.length);
      return Promise.resolve(array);
    },
  };
  const { addReady, sum } = createExchange(group, { lengths: [5, 6, 7], bucketBytes: 28 });
  const rest = [6, 7].map((n) => Promise.resolve(new Float32Array(n).fill(n)));
  const added = addReady([first.promise, ...rest], 1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(sent, [1, 7, 6], "the weight, and the last leaf first");
  first.resolve(new Float32Array(5).fill(5));
  await added;
  assertEquals((await sum()).arrays.map((array) => array[0]), [5, 6, 7]);
  assertEquals(sent, [1, 7, 6, 5]);
});

Deno.test("a bucket that fails before the last leaf is there is told to who takes the sum, and nobody else", async () => {
  const first = Promise.withResolvers<Float32Array>();
  const lost = new DistError("Lost rank 1", "lost", { rank: 1 });
  const group: Collective = { ...alone(), allReduce: () => Promise.reject(lost) };
  const { addReady, sum } = createExchange(group, { lengths: [5, 6], bucketBytes: 24 });
  const added = addReady([first.promise, Promise.resolve(new Float32Array(6))], 1);
  // A rejection that nobody met would end the process here.
  await new Promise((resolve) => setTimeout(resolve, 0));
  first.resolve(new Float32Array(5));
  await added;
  assertEquals(await assertRejects(sum), lost);
});

Deno.test("a leaf that does not come, or is odd, is told to who adds it", async () => {
  const { addReady } = createExchange(alone(), { lengths: [2, 3] });
  const lost = Promise.reject(new RangeError("No leaf"));
  await assertRejects(
    () => addReady([lost, Promise.resolve(new Float32Array(3))], 1),
    RangeError,
    "No leaf",
  );
  const other = createExchange(alone(), { lengths: [2] });
  await assertRejects(
    () => other.addReady([Promise.resolve(new Float32Array(3))], 1),
    TypeError,
    "leaf 0 has 3 elements, it must have 2",
  );
});

Deno.test("what another thread sums lies in shared memory; what the caller gets does not, and stays", async () => {
  for (const shards of [0, V]) {
    const shared = new Set<ArrayBufferLike>();
    const seen = (array: { readonly buffer: ArrayBufferLike }): void =>
      void shared.add(array.buffer);
    const one = alone();
    const group: Collective = {
      ...one,
      prefersShared: true,
      allReduce(array, options) {
        seen(array);
        return one.allReduce(array, options);
      },
      allReduceShards(arrays, total, into, options) {
        [...arrays, into].forEach(seen);
        return one.allReduceShards(arrays, total, into, options);
      },
    };
    const expected = await exchange(alone(), { shards }), found = await exchange(group, { shards });
    assertEquals(found.map(flat), expected.map(flat));
    assertEquals([...shared].every((buffer) => buffer instanceof SharedArrayBuffer), true);
    for (const { arrays } of found) {
      assertEquals(arrays.some(({ buffer }) => shared.has(buffer)), false);
    }
  }
});

Deno.test("what is not finite on one rank is not finite on any", async () => {
  for (const shards of [0, 4]) {
    const sums = await ranks(mem, 3, async (group, rank) => {
      const { add, sum, own } = createExchange(group, { lengths: [4], shards });
      for (let s = own.from; s < own.to; s++) {
        // Infinities of both signs on two ranks, NaN on one.
        add([Float32Array.of(1, rank === 1 ? NaN : 1, [Infinity, 1, -Infinity][rank]!, 2)], 1);
      }
      return [...(await sum()).arrays[0]!].map(Number.isFinite);
    });
    for (const sum of sums) assertEquals(sum, [true, false, false, true]);
  }
});

Deno.test("an exchange refuses too few shards, too many and odd arrays, and says which", () => {
  const group = { ...alone(), rank: 2, size: 3 };
  assertThrows(() => createExchange(group, { lengths, shards: 2 }), RangeError, "2 shards among 3");
  const { add } = createExchange(alone(), { lengths: [2, 3] });
  assertThrows(() => add([new Float32Array(2)], 1), TypeError, "leaf 1 has undefined elements");
  add([new Float32Array(2), new Float32Array(3)], 1);
  assertThrows(
    () => add([new Float32Array(2), new Float32Array(3)], 1),
    RangeError,
    "has 1 of them",
  );
});

Deno.test("checksums name the ranks that differ, and the leaf", async () => {
  const differing = (size: number, odd: readonly number[]) =>
    ranks(mem, size, async (group, rank) => {
      const b = new Float32Array(5000);
      if (odd.includes(rank)) b[4321] = 1e-40 * (rank + 1);
      const error = await compareChecksums(group, [["a", new Float32Array(3)], ["b.w", b]])
        .catch((e) => e);
      return error as DistError | undefined;
    });
  for (const error of await differing(3, [])) assertEquals(error, undefined);
  for (const error of await differing(4, [2])) {
    assertEquals([error!.failure, error!.rank], ["mismatch", 2]);
    assertEquals(/b\.w differs on rank 2 \(checksum \w{8}\)/.test(error!.message), true);
  }
  for (const error of await differing(5, [1, 3])) {
    assertEquals(/differs on rank 1, 3 \(/.test(error!.message), true, error!.message);
  }
  for (const error of await differing(2, [1])) {
    assertEquals(error!.rank, undefined);
    assertEquals(/rank 0 \(checksum \w{8}\), 1 \(checksum/.test(error!.message), true);
  }
});

Deno.test("every leaf has an owner, who has no more than the longest leaf above another, and gives it to all", async () => {
  for (const W of [1, 2, 3, 8]) {
    const owners = ownersOf(lengths, W), loads = new Float64Array(W);
    owners.forEach((rank, leaf) => loads[rank]! += lengths[leaf]!);
    assertLess(Math.max(...loads) - Math.min(...loads), Math.max(...lengths) + 1);
    const found = await ranks(
      mem,
      W,
      async (group, rank) =>
        await shareLeaves(
          group,
          owners,
          lengths,
          (leaf) => owners[leaf] === rank ? gradients(leaf, 0)[leaf]! : undefined,
        ),
    );
    for (const arrays of found) {
      arrays.forEach((array, leaf) => assertEquals(array, gradients(leaf, 0)[leaf]!));
    }
  }
});

Deno.test("ranks that plan other buckets find out at the first message", async () => {
  await assertRejects(
    () =>
      ranks(mem, 2, async (group, rank) => {
        const { add, sum } = createExchange(group, { lengths: [4 + rank] });
        add([new Float32Array(4 + rank)], 1);
        await sum();
      }),
    DistError,
    "4",
  );
});

Deno.test("swap: what failed first is said, once all have ended", async () => {
  const late = Promise.withResolvers<never>();
  let isOver = false;
  const group = {
    ...{ rank: 0, size: 3 },
    send: (_: unknown, to: number) =>
      to === 1 ? late.promise : Promise.reject(new DistError("Lost rank 2", "lost", { rank: 2 })),
    receive: () => late.promise,
  };
  const rooms = [0, 1, 2].map(() => new Uint16Array(3));
  const swapped = swap(group, (r) => rooms[r]!, (r) => rooms[r]!).finally(() => isOver = true);
  swapped.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(!isOver, "it ended before what it sends did");
  late.reject(new DistError("Cannot go on: the link to rank 1 has ended", "lost", { rank: 1 }));
  await assertRejects(() => swapped, DistError, "Lost rank 2");
});
