/** Exchanges whose bytes are bf16. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { alone } from "../../dist/parallel/alone.ts";
import { fromBf16, toBf16 } from "../../dist/parallel/bf16.ts";
import { createExchange } from "../../dist/parallel/exchange.ts";
import { countedRanks } from "./counted.ts";
import { ranks, simulated } from "./ranks.ts";

const mem = simulated();

function rounded(...values: readonly number[]): number[] {
  const half = new Uint16Array(values.length), back = new Float32Array(values.length);
  toBf16(Float32Array.from(values), half);
  fromBf16(half, back);
  return [...back];
}

Deno.test("bf16 rounds to nearest, ties to even, and keeps what is not finite", () => {
  const step = 2 ** -7;
  assertEquals(rounded(1 + 0.4 * step, 1 + step / 2, 1 + 1.5 * step, -1 - 0.6 * step), [
    ...[1, 1, 1 + 2 * step, -1 - step],
  ]);
  assertEquals(rounded(Infinity, -Infinity, 3.4e38, 1e-40, -0), [
    ...[Infinity, -Infinity, Infinity, rounded(1e-40)[0]!, -0],
  ]);
  const nans = new Float32Array(Uint32Array.of(0x7f800001, 0xffffffff, 0x7fc00000).buffer);
  const half = new Uint16Array(3), back = new Float32Array(3);
  toBf16(nans, half);
  fromBf16(half, back);
  assert(back.every(Number.isNaN), back.join());
});

/** Values of many sizes; leaf 1 is a count that bf16 has no bits for. */
const shard = (rank: number, length: number): Float32Array[] => [
  Float32Array.from({ length }, (_, i) => Math.sin(i + 3 * rank) * 10 ** (i % 7 - 3)),
  Float32Array.of(100_001 + rank),
];

Deno.test("a bf16 exchange: the same bits on all ranks, two roundings away from the sum, counts exact", async () => {
  for (const [size, length] of [[1, 100], [2, 2], [3, 1], [3, 70_001], [5, 1_300_000]] as const) {
    const found = await ranks(mem, size, async (group, rank) => {
      const options = { lengths: [length, 1], wire: "bf16", exact: [1] } as const;
      const { add, sum } = createExchange(group, options);
      add(shard(rank, length), 1);
      return (await sum()).arrays;
    });
    const all = Array.from({ length: size }, (_, r) => shard(r, length));
    for (const [sums, counts] of found as [Float32Array, Float32Array][]) {
      assertEquals(counts[0], all.reduce((n, [, count]) => n + count![0]!, 0));
      assertEquals(Buffer.compare(bytes(sums!), bytes(found[0]![0]!)), 0);
      const far = sums!.findIndex((x, i) => {
        const parts = all.map(([values]) => values![i]!), exact = parts.reduce((a, b) => a + b);
        const room = parts.reduce((a, b) => a + Math.abs(b), 0) * 2 ** -7 * 1.01;
        return !(Math.abs(x - exact) <= (size === 1 ? 0 : room));
      });
      assertEquals(far, -1, `${size} ranks, ${length} elements`);
    }
  }
});

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

Deno.test("a bf16 exchange: what is not finite on one rank is not finite on any", async () => {
  const found = await ranks(mem, 3, async (group, rank) => {
    const { add, sum } = createExchange(group, { lengths: [4], wire: "bf16" });
    add([Float32Array.of(1, rank === 1 ? NaN : 1, [Infinity, 1, -Infinity][rank]!, 2)], 1);
    return [...(await sum()).arrays[0]!].map(Number.isFinite);
  });
  for (const sum of found) assertEquals(sum, [true, false, false, true]);
});

/** Bytes that all ranks send in an exchange of a million elements. */
async function traffic(size: number, wire: "f32" | "bf16"): Promise<number> {
  const length = 1 << 20;
  const [bytes] = await countedRanks(size, async (group, _, sent) => {
    const { add, sum } = createExchange(group, { lengths: [length], wire });
    add([new Float32Array(length)], 1);
    await sum();
    return sent();
  });
  return bytes!;
}

Deno.test("a bf16 exchange sends half the bytes", async () => {
  for (const size of [2, 4]) {
    const [half, whole] = [await traffic(size, "bf16"), await traffic(size, "f32")];
    assertLess(Math.abs(whole / (2 * (size - 1) * (4 << 20)) - 1), 0.001);
    assertLess(half / whole, 0.501);
  }
});

Deno.test("shards and bf16 are refused together", () => {
  const options = { lengths: [1], shards: 2, wire: "bf16" } as const;
  assertThrows(() => createExchange(alone(), options), RangeError, "their bits need f32");
});
