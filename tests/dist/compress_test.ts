/** Exchanges in few bytes: the same bits on all ranks, and nothing lost but for a while. */
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { codedSum } from "../../dist/compress/coded_sum.ts";
import { createCompressedExchange } from "../../dist/compress/compressed_exchange.ts";
import { chunksOf } from "../../dist/compress/codec.ts";
import { int4 } from "../../dist/compress/int4.ts";
import { int8 } from "../../dist/compress/int8.ts";
import type { Compression, Memory } from "../../dist/compress/memory.ts";
import { isLowRank, powerSgd } from "../../dist/compress/power_sgd.ts";
import { sign } from "../../dist/compress/sign.ts";
import { alone, type Collective } from "../../dist/parallel/alone.ts";
import { bucketsOf } from "../../dist/parallel/buckets.ts";
import { fc } from "../property.ts";
import { countedRanks } from "./counted.ts";
import { ranks, simulated } from "./ranks.ts";

type Shapes = readonly (readonly number[])[];
const mem = simulated();

const ways: readonly (readonly [name: string, of: (shapes: Shapes) => Compression])[] = [
  ["int8", () => codedSum(int8)],
  ["int4", () => codedSum(int4)],
  ["sign", () => codedSum(sign)],
  ["PowerSGD", (shapes) => powerSgd(shapes, 2)],
  ["PowerSGD in int4", (shapes) => powerSgd(shapes, 2, int4)],
];

const lengthOf = (shape: readonly number[]): number => shape.reduce((n, axis) => n * axis, 1);

/** What a rank has in a step: values of many sizes, of which ranks share a part. */
const gradient = (shape: readonly number[], leaf: number, rank: number, step: number) =>
  Float32Array.from(
    { length: lengthOf(shape) },
    (_, i) => 10 ** (leaf % 5 - 2) * (Math.sin(0.37 * i + leaf) + Math.cos(i * (rank + 2) + step)),
  );

interface Run {
  readonly sums: readonly (readonly Float32Array[])[];
  readonly memory: readonly Memory[];
}

/** Some steps of a rank; what no leaf of 1 axis takes part in is compressed. */
async function run(
  group: Collective,
  shapes: Shapes,
  of: (shapes: Shapes) => Compression,
  steps: number,
): Promise<Run> {
  const exchange = createCompressedExchange(group, {
    lengths: shapes.map(lengthOf),
    compression: of(shapes),
    compressed: [...shapes.keys()].filter((leaf) => shapes[leaf]!.length > 1),
    bucketBytes: 1 << 14,
  });
  const sums: (readonly Float32Array[])[] = [];
  for (let step = 0; step < steps; step++) {
    exchange.add(shapes.map((shape, leaf) => gradient(shape, leaf, group.rank, step)), 1);
    sums.push((await exchange.sum()).arrays);
  }
  return { sums, memory: exchange.memory };
}

const bytes = (arrays: readonly Float32Array[]): Buffer =>
  Buffer.concat(arrays.map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength)));
const largest = (x: Float32Array): number => x.reduce((most, y) => Math.max(most, Math.abs(y)), 0);

/** Puts what ranks remember, by buckets, in its places among the leaves. */
function unsaid(
  shapes: Shapes,
  of: (shapes: Shapes) => Compression,
  all: readonly (readonly Memory[])[],
): readonly Float64Array[] {
  const lengths = shapes.map(lengthOf), size = all.length;
  const left = lengths.map((length) => new Float64Array(length));
  bucketsOf(lengths, 1 << 14, (leaf) => shapes[leaf]!.length > 1).forEach((bucket, b) =>
    all.forEach((memory, rank) => {
      const { worker, server } = memory[b]!, whole = Float64Array.from(worker);
      const { from } = of(shapes).chunk(bucket, { rank, size });
      server.forEach((x, i) => whole[from + i]! += x);
      for (const { leaf, at, length } of bucket.parts) {
        for (let i = 0; i < length; i++) left[leaf]![i]! += whole[at + i]!;
      }
    })
  );
  return left;
}

for (const [name, of] of ways) {
  Deno.test(`${name}: all ranks have the same bits, and what was not said is remembered, for any shapes`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(
          fc.oneof(
            fc.array(fc.integer({ min: 0, max: 70 }), { minLength: 1, maxLength: 3 }),
            fc.constant([90, 60]),
          ),
          { minLength: 1, maxLength: 5 },
        ).filter((shapes) => shapes.every((shape) => lengthOf(shape) <= 6000)),
        async (size, shapes) => {
          const steps = 3;
          const found = await ranks(mem, size, (group) => run(group, shapes, of, steps));
          for (const { sums, memory } of found) {
            assertEquals(sums.map((x) => x.length), Array(steps).fill(shapes.length));
            assert(sums.every((x, i) => bytes(x).equals(bytes(found[0]!.sums[i]!))), "bits");
            memory.forEach(({ basis }, b) =>
              assertEquals(basis, found[0]!.memory[b]!.basis, "basis")
            );
          }
          const left = unsaid(shapes, of, found.map(({ memory }) => memory));
          shapes.forEach((shape, leaf) => {
            const given = Array.from(
              { length: size * steps },
              (_, i) => gradient(shape, leaf, i % size, Math.floor(i / size)),
            );
            const room = 1e-5 * given.reduce((sum, x) => sum + largest(x), 0);
            for (let i = 0; i < lengthOf(shape); i++) {
              const said = found[0]!.sums.reduce((sum, arrays) => sum + arrays[leaf]![i]!, 0);
              const all = given.reduce((sum, x) => sum + x[i]!, 0);
              if (!(Math.abs(said + left[leaf]![i]! - all) <= room)) {
                throw new RangeError(`Lost: leaf ${leaf} [${shape}] at ${i}: ${said} of ${all}`);
              }
            }
          });
        },
      ),
      { numRuns: 12 },
    ));

  Deno.test(`${name}: what is not finite on one rank is not finite on any, and nobody remembers it`, async () => {
    const shapes = [[40, 40], [3]], broken = [[0, 5, NaN], [1, 0, Infinity], [1, 1, -Infinity]];
    for (const [leaf, rank, value] of broken as [number, number, number][]) {
      const found = await ranks(mem, 3, async (group) => {
        const exchange = createCompressedExchange(group, {
          lengths: shapes.map(lengthOf),
          compression: of(shapes),
          compressed: [0],
        });
        const step = async (value?: number): Promise<readonly Float32Array[]> => {
          const own = shapes.map((shape, leaf) => gradient(shape, leaf, group.rank, 0));
          if (value !== undefined && group.rank === rank % 3) own[leaf]![1] = value;
          exchange.add(own, 1);
          return (await exchange.sum()).arrays;
        };
        await step();
        const before = exchange.memory, arrays = await step(value);
        assertEquals(exchange.memory, before);
        assert(exchange.memory[0]!.worker.every(Number.isFinite));
        return arrays;
      });
      for (const arrays of found) assert(!arrays[leaf]!.every(Number.isFinite));
    }
  });

  Deno.test(`${name}: who goes on with what was remembered has the same bits; other numbers of ranks lose nothing`, async () => {
    const shapes = [[50, 70], [5], [64, 30]], lengths = shapes.map(lengthOf);
    const make = (group: Collective) =>
      createCompressedExchange(group, {
        lengths,
        compression: of(shapes),
        compressed: [0, 2],
        bucketBytes: 1 << 14,
      });
    type Made = ReturnType<typeof make>;
    const step = async (exchange: Made, rank: number, step: number) => {
      exchange.add(shapes.map((shape, leaf) => gradient(shape, leaf, rank, step)), 1);
      return bytes((await exchange.sum()).arrays);
    };
    const found = await ranks(mem, 3, async (group, rank) => {
      const exchange = make(group);
      for (const s of [0, 1]) await step(exchange, rank, s);
      const memory = exchange.memory;
      return { memory, next: await step(exchange, rank, 2) };
    });
    const before = { size: 3, read: (rank: number) => Promise.resolve(found[rank]!.memory) };
    const again = await ranks(mem, 3, async (group, rank) => {
      const exchange = make(group);
      exchange.remember(await exchange.moved(before, rank));
      return await step(exchange, rank, 2);
    });
    again.forEach((sum, rank) => assert(sum.equals(found[rank]!.next)));
    const all = unsaid(shapes, of, found.map(({ memory }) => memory));
    for (const size of [1, 2, 4]) {
      const moved = await ranks(mem, size, async (group, rank) => {
        const exchange = make(group);
        return await exchange.moved(before, rank);
      });
      unsaid(shapes, of, moved).forEach((left, leaf) =>
        left.forEach((x, i) => assertLess(Math.abs(x - all[leaf]![i]!), 1e-4))
      );
      for (const memory of moved) {
        memory.forEach(({ basis }, b) => assertEquals(basis, found[0]!.memory[b]!.basis));
      }
    }
    await assertRejects(
      () => make(alone()).moved({ size: 2, read: () => Promise.resolve([]) }, 0),
      RangeError,
      "what rank 0 of 2 remembers",
    );
  });
}

Deno.test("int8: the error is half of a 127th of the largest number, or less; sign: signs and the mean size", () => {
  const values = Float32Array.of(0.5, -127, 63.49, 0, 126.51), codes = new Uint8Array(6);
  const left = values.slice(), back = new Float32Array(5);
  assertEquals(int8.scale(values), 1);
  int8.encode(left, 1, codes, 1);
  int8.decode(codes, 1, 1, back);
  assertEquals([...back], [1, -127, 63, 0, 127]);
  assert(left.every((x, i) => Math.abs(x) <= 0.5 && Math.abs(x + back[i]! - values[i]!) < 1e-5));
  const signs = new Uint8Array(2), rest = Float32Array.of(1, -3, 0, 4);
  assertEquals(sign.scale(rest), 2);
  sign.encode(rest, 2, signs, 6);
  assertEquals([...signs], [128, 0]);
  assertEquals([...rest], [-1, -1, -2, 2]);
  sign.decode(signs, 6, 2, rest);
  assertEquals([...rest], [2, -2, 2, 2]);
});

Deno.test("int4: two numbers a byte, from any place on, each within half of a 7th of the largest", () =>
  fc.assert(fc.property(
    fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 9 }),
    fc.nat(3),
    (numbers, at) => {
      const values = Float32Array.from(numbers), scale = int4.scale(values);
      const codes = new Uint8Array(6), left = values.slice(), back = left.slice();
      int4.encode(new Float32Array(at).fill(7), 1, codes, 0);
      int4.encode(left, scale, codes, at);
      int4.decode(codes, at, scale, back);
      values.forEach((x, i) => {
        assertLess(Math.abs(left[i]!), scale / 2 + 1e-5);
        assertLess(Math.abs(x - left[i]! - back[i]!), 1e-5);
      });
      const before = new Float32Array(at);
      int4.decode(codes, 0, 1, before);
      assert(before.every((x) => x === 7), "what came before stays");
    },
  )));

Deno.test("int4: where a scale below bf16's normal numbers is rounded by far, the largest code is 7", () => {
  const left = Float32Array.of(8), codes = new Uint8Array(1), back = new Float32Array(1);
  int4.encode(left, 1, codes, 0);
  int4.decode(codes, 0, 1, back);
  assertEquals([left[0], back[0]], [1, 7]);
});

Deno.test("blocks lie within leaves, and chunks are of whole blocks", () => {
  const [bucket] = bucketsOf([300, 5, 260]), chunks = chunksOf(bucket!, 256, 2);
  assertEquals(chunks, [
    { from: 0, to: 265, ends: [256, 260, 265] },
    { from: 265, to: 565, ends: [521, 565] },
  ]);
  const none = chunksOf(bucketsOf([3])[0]!, 256, 2);
  assertEquals(none.map(({ from, to }) => to - from), [0, 3]);
});

Deno.test("PowerSGD of rank 2: a sum of rank 2 comes whole, but for roundings, by the second exchange", async () => {
  const [rows, cols] = [60, 40], shapes = [[rows, cols]];
  const column = (n: number, k: number) => Array.from({ length: n }, (_, i) => Math.sin(i * k + k));
  const [a, b, c, d] = [column(rows, 1), column(cols, 2), column(rows, 3), column(cols, 5)];
  const errors = await ranks(mem, 2, async (group, rank) => {
    const exchange = createCompressedExchange(group, {
      lengths: [rows * cols],
      compression: powerSgd(shapes, 2),
      compressed: [0],
    });
    // Ranks differ by what the sum has nothing of; it goes to the memory.
    const m = Float32Array.from({ length: rows * cols }, (_, i) => {
      const [r, c_] = [Math.floor(i / cols), i % cols];
      return a[r]! * b[c_]! + 0.1 * c[r]! * d[c_]! + (rank === 0 ? 1 : -1) * Math.sin(i * i);
    });
    const errors: number[] = [];
    for (let step = 0; step < 2; step++) {
      exchange.remember(exchange.memory.map((memory) => ({ ...memory, worker: m.map(() => 0) })));
      exchange.add([m], 1);
      const sum = (await exchange.sum()).arrays[0]!;
      errors.push(Math.max(...sum.map((x, i) => {
        const [r, c_] = [Math.floor(i / cols), i % cols];
        return Math.abs(x - 2 * (a[r]! * b[c_]! + 0.1 * c[r]! * d[c_]!));
      })));
    }
    return errors;
  });
  for (const [first, second] of errors) {
    assertLess(second!, 0.03);
    assertLess(second!, first!);
  }
  assert(isLowRank([60, 40], 2) && !isLowRank([60], 2) && !isLowRank([8, 8], 5));
});

Deno.test("bytes: int8 takes 0.26 of f32, int4 0.134, PowerSGD of 4 columns 0.01 and signs 0.048, of all ranks' traffic", async () => {
  const shape = [2048, 256], length = lengthOf(shape);
  const traffic = async (size: number, compression: Compression | undefined): Promise<number> => {
    const [sent] = await countedRanks(size, async (group, _, sent) => {
      const exchange = createCompressedExchange(group, {
        lengths: [length],
        compression: compression ?? codedSum(int8),
        compressed: compression ? [0] : [],
      });
      exchange.add([gradient(shape, 0, group.rank, 0)], 1);
      await exchange.sum();
      await group.allReduce(new Uint8Array(1)); // all have sent all
      return sent();
    });
    return sent!;
  };
  for (const size of [2, 4]) {
    const whole = await traffic(size, undefined), links = 2 * (size - 1);
    const least = (n: number): number => links * n;
    for (
      const [compression, payload, bar] of [
        [codedSum(int8), least(length + 2 * length / 128), 0.26],
        [codedSum(int4), least(length / 2 + 2 * length / 64), 0.134],
        [codedSum(sign), least(length / 8 + 2 * length / 32), 0.048],
        [powerSgd([shape], 4), least(4 * (shape[0]! + shape[1]!) * (1 + 2 / 128)), 0.01],
        [powerSgd([shape], 4, int4), least(4 * (shape[0]! + shape[1]!) * (0.5 + 2 / 64)), 0.006],
      ] as const
    ) {
      const sent = await traffic(size, compression);
      assertLess(sent / whole, bar);
      // Headers and frames of a few dozen messages.
      assert(sent >= payload && sent < payload + 150 * 20 * size * size, `${sent} of ${payload}`);
    }
  }
});

Deno.test("a compressed exchange refuses odd arrays", () => {
  const options = { lengths: [4, 2], compression: codedSum(int8), compressed: [0] };
  const { add } = createCompressedExchange(alone(), options);
  const arrays = [new Float32Array(3), new Float32Array(2)];
  assertThrows(() => add(arrays, 1), TypeError, "leaf 0 has 3 elements, it must have 4");
});
