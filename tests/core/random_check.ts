/**
 * What every device must give for the same keys.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { reference } from "../../core/backends/reference/mod.ts";
import type { Device } from "../../core/device/device.ts";
import type * as X from "../../core/expr/expr.ts";
import { compute } from "../../core/graph/build.ts";
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
import { threefry } from "../../core/random/threefry.ts";
import { nodeOf, wrap } from "../../core/tensor.ts";

/**
 * Key, counter and words that the authors of the generator publish.
 * Source: Random123 1.14, tests/kat_vectors, threefry2x32 with 20 rounds
 */
const KNOWN = [
  [[0, 0], [0, 0], [0x6b200159, 0x99ba4efe]],
  [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
  [[0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
] as const;

/** The published words, from the expression as `device` computes it. */
export async function checkKnownAnswers(device: Device): Promise<void> {
  const column = (at: 0 | 1, i: 0 | 1): AnyTensor =>
    tensor(KNOWN.map((known) => known[at][i]), "u32");
  const words = (i: 0 | 1) => (...operands: X.Expr[]): X.Expr =>
    threefry(...operands as [X.Expr, X.Expr, X.Expr, X.Expr])[i];
  const both = jit(
    (...xs: readonly AnyTensor[]) =>
      [0, 1].map((i) => wrap(compute(words(i as 0 | 1), xs.map(nodeOf)))),
    { device },
  );
  const [first, second] = both(column(0, 0), column(0, 1), column(1, 0), column(1, 1));
  assertEquals([...await read(first!)], KNOWN.map((known) => known[2][0]));
  assertEquals([...await read(second!)], KNOWN.map((known) => known[2][1]));
}

/** One of each draw, with keys that are arguments. */
const draws = (k: Key, step: AnyTensor): Record<string, AnyTensor> => ({
  bits: bits(k, [3, 5]),
  uniform: uniform(k, [129]),
  centred: uniform(k, [64], { low: -1 }),
  randint: randint(foldIn(k, step), [50], -7, 1000),
  bernoulli: bernoulli(foldIn(k, 3), 0.25, [4, 9]),
  permutation: permutation(k, 33),
  split: splitKey(k, 3),
  batch: vmap((one: Key) => uniform(one, [4]))(splitKey(k, 5)),
  categorical: categorical(k, tensor([[0, 1, 2], [3, 1, -2]]), 1),
  normal: normal(k, [2000]),
  truncated: truncatedNormal(k, [500], { lower: -3, upper: 0.5 }),
});

/** `device` against the reference: the same bits, normals within 1e-6. */
export async function checkAgainstReference(device: Device): Promise<void> {
  for (const seed of [0, 1, 2 ** 40 + 5]) {
    const step = tensor(seed % 100, "i32");
    const found = jit(draws, { device })(key(seed), step);
    const expected = jit(draws, { device: reference() })(key(seed), step);
    for (const [name, x] of Object.entries(expected)) {
      const a = [...await read(found[name]!)], b = [...await read(x)];
      if (name !== "normal" && name !== "truncated") assertEquals(a, b, name);
      else a.forEach((v, i) => assert(Math.abs(v - b[i]!) <= 1e-6, `${name} ${v} ${b[i]}`));
    }
  }
}
