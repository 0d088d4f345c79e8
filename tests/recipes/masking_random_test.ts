import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { draws, permutation, threefry, USES } from "../../recipes/masking/counter_random.ts";

Deno.test("threefry gives the known answers of Random123", () => {
  // kat_vectors of github.com/DEShawResearch/random123, threefry2x32 with 20 rounds.
  const known: readonly (readonly [keys: readonly number[], answers: readonly number[]])[] = [
    [[0, 0, 0, 0], [0x6b200159, 0x99ba4efe]],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
    [[0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
  ];
  const out = new Uint32Array(2);
  for (const [[key0, key1, counter0, counter1], answers] of known) {
    threefry(key0!, key1!, counter0!, counter1!, out);
    assertEquals([...out], [...answers]);
  }
});

Deno.test("draws hang on seed, use, epoch and index, and on nothing else", () => {
  const first = (...key: [number, number, number, number]): number[] => {
    const { bits } = draws(...key);
    return [bits(), bits(), bits()];
  };
  const base = first(1, USES.mask, 2, 3);
  assertEquals(first(1, USES.mask, 2, 3), base);
  for (
    const other of [[9, USES.mask, 2, 3], [1, USES.shuffle, 2, 3], [1, USES.mask, 9, 3], [
      1,
      USES.mask,
      2,
      9,
    ]]
  ) {
    assertNotEquals(first(...other as [number, number, number, number]), base);
  }
});

Deno.test("draws are uniform", () => {
  const { below, uniform } = draws(5, USES.mask, 0, 0);
  const N = 100_000;
  const counts = new Float64Array(10);
  let sum = 0;
  for (let i = 0; i < N; i++) {
    counts[below(10)]!++;
    sum += uniform();
  }
  // Chi squared with 9 degrees of freedom is above 27.9 once in a thousand; the draws are fixed.
  const chi = counts.reduce((total, count) => total + (count - N / 10) ** 2 / (N / 10), 0);
  assert(chi < 27.9, `chi squared ${chi}`);
  assert(Math.abs(sum / N - 0.5) < 0.005, `mean ${sum / N}`);
});

Deno.test("permutation is one, and all orders come up alike", () => {
  const order = permutation(1000, draws(1, USES.shuffle, 0, 0));
  assertEquals([...order].sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  const seen = new Map<string, number>();
  for (let epoch = 0; epoch < 6000; epoch++) {
    const key = permutation(3, draws(1, USES.shuffle, epoch, 0)).join("");
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  assertEquals(seen.size, 6);
  for (const [key, count] of seen) assert(Math.abs(count - 1000) < 110, `${key}: ${count}`);
});
