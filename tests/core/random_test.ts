import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { reference } from "../../core/backends/reference/mod.ts";
import { erf } from "../../core/expr/javascript.ts";
import {
  type AnyTensor,
  bernoulli,
  bits,
  categorical,
  foldIn,
  jit,
  type Key,
  key,
  normal,
  permutation,
  randint,
  read,
  splitKey,
  tensor,
  truncatedNormal,
  uniform,
  vmap,
} from "../../core/mod.ts";
import { checkAgainstReference, checkKnownAnswers } from "./random_check.ts";

const COUNT = 20_000;
const mean = (xs: ArrayLike<number>): number =>
  Array.from(xs).reduce((a, b) => a + b, 0) / xs.length;

/** The greatest distance between a sample's distribution and F (Kolmogorov and Smirnov's statistic). */
function distance(xs: ArrayLike<number>, F: (x: number) => number): number {
  const sorted = Array.from(xs).sort((a, b) => a - b), n = sorted.length;
  return sorted.reduce(
    (d, x, i) => Math.max(d, Math.abs(F(x) - i / n), Math.abs(F(x) - (i + 1) / n)),
    0,
  );
}
/** The distance that a right sample exceeds once in 10,000 times. */
const LIMIT = 2.23 / Math.sqrt(COUNT);
const gaussian = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2;

Deno.test("random: Threefry gives the published words", async () => {
  await checkKnownAnswers(reference());
  await checkKnownAnswers(cpu());
});

Deno.test("random: cpu draws as the reference does", () => checkAgainstReference(cpu()));

Deno.test("random: uniform numbers are uniform", async () => {
  const xs = await read(uniform(key(1), [COUNT]));
  assert(xs.every((x) => x >= 0 && x < 1));
  assert(distance(xs, (x) => x) < LIMIT);
});

Deno.test("random: normal numbers are normal, truncated ones within their limits", async () => {
  assert(distance(await read(normal(key(2), [COUNT])), gaussian) < LIMIT);
  const cut = await read(truncatedNormal(key(3), [COUNT], { lower: -1, upper: 3 }));
  const [low, high] = [gaussian(-1), gaussian(3)];
  assert(cut.every((x) => x >= -1 && x <= 3));
  assert(distance(cut, (x) => (gaussian(x) - low) / (high - low)) < LIMIT);
});

Deno.test("random: the other draws keep their chances", async () => {
  const hits = await read(bernoulli(key(4), tensor([[0.1], [0.9]]), [2, COUNT]));
  assertAlmostEquals(mean(hits.subarray(0, COUNT)), 0.1, 0.01);
  assertAlmostEquals(mean(hits.subarray(COUNT)), 0.9, 0.01);
  assertAlmostEquals(mean(await read(randint(key(5), [COUNT], -10, 11))), 0, 0.25);
  const logits = tensor([Math.log(0.2), Math.log(0.5), Math.log(0.3)]);
  const chosen = await read(vmap((k: Key) => categorical(k, logits, 0))(splitKey(key(6), COUNT)));
  for (const [i, p] of [0.2, 0.5, 0.3].entries()) {
    assertAlmostEquals(mean(Array.from(chosen, (c) => c === i ? 1 : 0)), p, 0.015);
  }
});

Deno.test("random: every place of a permutation is equally likely", async () => {
  const orders = await read(vmap((k: Key) => permutation(k, 3))(splitKey(key(7), 6000)));
  const counts = new Map<string, number>();
  for (let i = 0; i < orders.length; i += 3) {
    const order = orders.subarray(i, i + 3).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const n of counts.values()) assertAlmostEquals(n / 6000, 1 / 6, 0.025);
});

Deno.test("random: keys under vmap and jit are keys", async () => {
  const keys = splitKey(key(8), 4), draw = (k: Key) => normal(foldIn(k, 2), [3]);
  const rows = await read(keys), expected: number[] = [];
  for (let i = 0; i < 4; i++) {
    const one = tensor([rows[2 * i]!, rows[2 * i + 1]!], "u32");
    expected.push(...await read(draw(one)));
  }
  assertEquals([...await read(vmap(draw)(keys))], expected);
  assertEquals([...await read(jit(vmap(draw))(keys))], expected);
});

Deno.test("random: a number and a tensor fold in alike; uses of one key do not meet", async () => {
  const k = key(9), number = await read(foldIn(k, 5));
  assertEquals(await read(foldIn(k, tensor(5, "i32"))), number);
  assertEquals(await read(foldIn(k, tensor(5, "u32"))), number);
  const drawn: AnyTensor[] = [bits(k, [8]), splitKey(k, 8), foldIn(k, 0), foldIn(k, 1)];
  const all = (await Promise.all(drawn.map((x) => read(x)))).flatMap((w) => Array.from<number>(w));
  assertEquals(new Set(all).size, all.length);
});

Deno.test("random: wrong calls are refused in words", () => {
  assertThrows(() => key(-1), RangeError, "Cannot make a key of -1");
  assertThrows(() => foldIn(key(1), 0.5), TypeError, "Cannot foldIn 0.5");
  assertThrows(() => randint(key(1), [2], 5, 5), RangeError, "low must be less than high");
  assertThrows(() => uniform(key(1), [-2]), RangeError, "Cannot draw [-2]");
  const wrong = tensor([1, 2, 3], "u32") as unknown as Key;
  assertThrows(() => normal(wrong, [2]), TypeError, "it must be u32 [2]");
});
