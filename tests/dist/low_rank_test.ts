/** Products with factors, block by block, against plain loops. */
import { assert } from "@std/assert";
import { addProduct, leftProduct, rightProduct } from "../../dist/compress/low_rank.ts";
import { fc } from "../property.ts";

const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * i + seed));

/** Sums of products; each is of so many terms, which the blocks sum in another order. */
function assertClose(
  name: string,
  found: Float32Array,
  expected: (n: number) => number,
  terms: number,
): void {
  found.forEach((x, n) => {
    const y = expected(n);
    const isSame = Number.isNaN(y) ? Number.isNaN(x) : Math.abs(x - y) <= 1e-6 * (terms + 4);
    assert(isSame, `${name} at ${n}: ${x} instead of ${y}`);
  });
}

const sum = (count: number, f: (i: number) => number): number => {
  let all = 0;
  for (let i = 0; i < count; i++) all += f(i);
  return all;
};

function check(rows: number, cols: number, rank: number, spoil?: number): void {
  const sizes = { rows, cols, rank }, m = numbers(rows * cols, 1);
  const p = numbers(rows * rank, 2), q = numbers(cols * rank, 3);
  if (spoil !== undefined) m[spoil % m.length] = NaN;
  const right = new Float32Array(rows * rank),
    left = new Float32Array(cols * rank),
    added = m.slice();
  rightProduct(m, q, sizes, right);
  leftProduct(m, p, sizes, left);
  addProduct(added, p, q, sizes, -1);
  const at = (length: number) => (n: number) => [Math.floor(n / length), n % length] as const;
  const atP = at(rows), atQ = at(cols);
  assertClose("M Q", right, (n) => {
    const [k, i] = atP(n);
    return sum(cols, (j) => m[i * cols + j]! * q[k * cols + j]!);
  }, cols);
  assertClose("Mᵀ P", left, (n) => {
    const [k, j] = atQ(n);
    return sum(rows, (i) => m[i * cols + j]! * p[k * rows + i]!);
  }, rows);
  assertClose("M - P Qᵀ", added, (n) => {
    const [i, j] = atQ(n);
    return m[n]! - sum(rank, (k) => p[k * rows + i]! * q[k * cols + j]!);
  }, rank);
}

Deno.test("products with factors are those of plain loops, for any sizes, and what is no number stays in its rows and columns", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 150 }),
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1000, max: 1100 })),
      fc.integer({ min: 1, max: 12 }),
      fc.option(fc.nat(), { nil: undefined }),
      check,
    ),
    { numRuns: 30 },
  ));

Deno.test("products with many columns find room for them", () => check(20, 60, 60));
