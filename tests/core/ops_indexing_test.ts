/** Ops that pick and add by ids, against plain loops; and the products, against sums of products. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  type AnyTensor,
  cond,
  dynamicSlice,
  dynamicUpdate,
  einsum,
  embedding,
  gather,
  grad,
  matmul,
  mul,
  oneHot,
  read,
  scatterAdd,
  sum,
  takeAlongAxis,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { at, counting, type Grid, grid, gridOf, tensorOf } from "./grid.ts";

const cube = counting([2, 3, 4]), x = tensorOf(cube);
const ids: Grid = { shape: [2, 2], values: [2, -1, 0, 3] }, idsTensor = tensorOf(ids, "i32");

Deno.test("indexing: gather puts the axes of the ids in the place of the axis", async () => {
  const want = grid([2, 2, 2, 4], ([i, a, b, k]) => at(cube, [i!, at(ids, [a!, b!]), k!]));
  assertEquals(await gridOf(gather(x, idsTensor, 1)), want);
  const last = grid([2, 3, 2, 2], ([i, j, a, b]) => at(cube, [i!, j!, at(ids, [a!, b!])]));
  assertEquals(await gridOf(gather(x, idsTensor, -1)), last);
});

Deno.test("indexing: ids of u32 beyond i32 are outside too", async () => {
  const far = tensor([4294967295, 2147483648, 1], "u32");
  assertEquals([...await read(gather(tensor([5, 6]), far, 0))], [0, 0, 6]);
});

Deno.test("indexing: the gradient of gather adds up where ids repeat, and drops what is outside", async () => {
  const picked = tensor([1, 1, 7, -1, 0], "i32"), weights = tensor([1, 10, 100, 1000, 10000]);
  const g = grad((v: Tensor<[3]>) => sum(mul(gather(v, picked, 0), weights)))(tensor([1, 2, 3]));
  assertEquals([...await read(g)], [10000, 11, 0]);
});

Deno.test("indexing: embedding takes rows", async () => {
  const table = counting([3, 2]);
  const want = grid([2, 2, 2], ([a, b, c]) => at(table, [at(ids, [a!, b!]), c!]));
  assertEquals(await gridOf(embedding(tensorOf(table), idsTensor)), want);
});

Deno.test("indexing: takeAlongAxis takes one an element", async () => {
  const along = grid([2, 5, 4], ([i, j, k]) => (i! + j! * k!) % 4 - (j === 4 ? 4 : 0));
  const want = grid([2, 5, 4], (c) => at(cube, [c[0]!, at(along, c), c[2]!]));
  assertEquals(await gridOf(takeAlongAxis(x, tensorOf(along, "i32"), 1)), want);
});

Deno.test("indexing: scatterAdd is the transpose of gather", async () => {
  const updates = counting([2, 2, 2, 4]);
  const want = grid([2, 3, 4], ([i, j, k]) => {
    let sum = at(cube, [i!, j!, k!]);
    for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      if (at(ids, [a!, b!]) === j) sum += at(updates, [i!, a!, b!, k!]);
    }
    return sum;
  });
  assertEquals(await gridOf(scatterAdd(x, idsTensor, tensorOf(updates), 1)), want);
});

Deno.test("indexing: oneHot has a 1 at the id, or none", async () => {
  const want = grid([2, 2, 3], ([a, b, k]) => at(ids, [a!, b!]) === k ? 1 : 0);
  assertEquals(await gridOf(oneHot(idsTensor, 3)), want);
});

Deno.test("indexing: dynamic starts are brought inside", async () => {
  for (const start of [-9, -1, 0, 1, 2, 3, 99, 2147483647, -2147483648]) {
    const s = tensor(start, "i32"), from = Math.min(2, Math.max(0, start));
    const part = grid([2, 3, 2], ([i, j, k]) => at(cube, [i!, j!, k! + from]));
    assertEquals(await gridOf(dynamicSlice(x, s, 2, 2)), part);
    const changed = grid([2, 3, 4], ([i, j, k]) => {
      const inside = k! >= from && k! < from + 2;
      return inside ? -at(part, [i!, j!, k! - from]) : at(cube, [i!, j!, k!]);
    });
    const negative = tensorOf({ shape: part.shape, values: part.values.map((v) => -v) });
    assertEquals(await gridOf(dynamicUpdate(x, s, negative, -1)), changed);
  }
});

Deno.test("indexing: what does not fit is refused with its numbers", () => {
  const vector = tensor([1, 2]), whole = tensor([0], "i32");
  const refused: readonly (readonly [() => unknown, string])[] = [
    [() => gather(x, idsTensor, 3), "Cannot gather [2, 3, 4] over axis 3: axis must be in -3..2"],
    [() => gather(x, x, 0), "Cannot gather at f32 [2, 3, 4]: it must be of i32 or u32"],
    [() => embedding(vector as AnyTensor, whole), "Cannot embed with a table [2]"],
    [() => takeAlongAxis(x, idsTensor, 0), "other axes must match"],
    [() => scatterAdd(x, idsTensor, x, 0), "updates must be [2, 2, 3, 4]"],
    [() => dynamicSlice(x, tensor(0, "i32"), 5, 2), "size must be in 0..4"],
    [() => dynamicSlice(x, whole as AnyTensor, 1, 0), "i32 [1]: it must be one i32"],
    [
      () => dynamicUpdate(x, tensor(0, "i32"), tensorOf(counting([3, 3, 4])), 0),
      "size must be in 0..2",
    ],
    [() => oneHot(whole, -1), "sizes must be whole and not negative"],
    [() => cond(tensor(1) as AnyTensor, x, x), "Cannot choose by f32 []: it must be one bool"],
    [() => cond(tensor(1, "bool"), x, vector as AnyTensor), "shapes and dtypes must be equal"],
    [() => cond<object>(tensor(1, "bool"), { x }, { y: x }), "paths must be equal"],
    [() => matmul(vector as AnyTensor, x), "each must have 2 axes or more"],
    [
      () => matmul(x, tensorOf(counting([3, 4]))),
      "Cannot matmul [2, 3, 4] with [3, 4]: inner axes",
    ],
    [() => matmul(x, tensorOf(counting([4, 2]), "f16")), "dtypes must be equal"],
    [() => einsum("ij,jk->ik", x, x), "ij must name each axis of [2, 3, 4]"],
    [() => einsum("i->ii" as string as never, vector), "i must stand once in the output"],
    [() => einsum("i->i", whole as AnyTensor), "Cannot einsum i32 [1]: it must be of floats"],
  ];
  for (const [call, message] of refused) assertThrows(call, TypeError, message);
});

/** The Einstein sum by its definition. */
function einsumOf(equation: string, grids: readonly Grid[]): Grid {
  const [input, output] = equation.split("->") as [string, string], terms = input.split(",");
  const letters = [...new Set(input.replaceAll(",", ""))];
  const size = (c: string): number => {
    const n = terms.findIndex((t) => t.includes(c));
    return grids[n]!.shape[terms[n]!.indexOf(c)]!;
  };
  const inner = letters.filter((c) => !output.includes(c));
  return grid([...output].map(size), (outer) =>
    grid(inner.map(size), (summed) => {
      const place = (c: string): number =>
        output.includes(c) ? outer[output.indexOf(c)]! : summed[inner.indexOf(c)]!;
      return grids.reduce((p, g, n) => p * at(g, [...terms[n]!].map(place)), 1);
    }).values.reduce((a, b) => a + b, 0));
}

Deno.test("einsum: any equation is the sum of products that it says", async () => {
  const letters = fc.subarray([..."abcde"], { maxLength: 4 }).chain((list) =>
    fc.shuffledSubarray(list, { minLength: list.length }).map((l) => l.join(""))
  );
  const equations = fc.array(letters, { minLength: 1, maxLength: 4 }).chain((terms) =>
    fc.shuffledSubarray([...new Set(terms.join(""))]).map((out) => `${terms}->${out.join("")}`)
  );
  const sizes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(equations, sizes, fc.nat(100), async (equation, size, seed) => {
      let n = seed;
      const grids = equation.split("->")[0]!.split(",").map((term) =>
        grid([...term].map((c) => size["abcde".indexOf(c)]!), () => (n = n * 31 % 17) - 8)
      );
      const got = await gridOf(einsum(equation, ...grids.map((g) => tensorOf(g))));
      const want = einsumOf(equation, grids);
      assertEquals(got.shape, want.shape);
      // Whole numbers of this size are exact in f32, whatever the order.
      got.values.forEach((v, i) => assertAlmostEquals(v, want.values[i]!, 0.5));
    }),
    { numRuns: 150, seed: 3 },
  );
});

Deno.test("einsum: f16 is summed in f32 and rounded once", async () => {
  const ones = tensorOf(grid([4096], () => 1), "f16");
  // f16 counts by 2 from 2048 on: a sum kept in f16 would stop there. 4096 is 0x6c00.
  assertEquals([...await read(einsum("i,i->", ones, ones))], [0x6c00]);
  assertEquals([...await read(einsum("i->", ones))], [0x6c00]);
});

Deno.test("matmul: leading axes broadcast, empty ones too", async () => {
  const shapes: readonly (readonly [number[], number[], number[]])[] = [
    [[2, 3], [3, 4], [2, 4]],
    [[5, 2, 3], [3, 4], [5, 2, 4]],
    [[2, 3], [5, 3, 4], [5, 2, 4]],
    [[2, 1, 2, 3], [3, 3, 1], [2, 3, 2, 1]],
    [[0, 2, 3], [3, 4], [0, 2, 4]],
    [[2, 0], [0, 3], [2, 3]],
  ];
  for (const [a, b, shape] of shapes) {
    const [left, right] = [counting(a), counting(b)];
    const lead = (g: Grid, at: readonly number[]): number[] =>
      g.shape.slice(0, -2).map((s, i, own) => s === 1 ? 0 : at[i + shape.length - 2 - own.length]!);
    const want = grid(shape, (c) => {
      const [i, j] = c.slice(-2) as [number, number];
      return Array.from(
        { length: a.at(-1)! },
        (_, k) => at(left, [...lead(left, c), i, k]) * at(right, [...lead(right, c), k, j]),
      )
        .reduce((p, q) => p + q, 0);
    });
    assertEquals(await gridOf(matmul(tensorOf(left), tensorOf(right))), want);
  }
});
