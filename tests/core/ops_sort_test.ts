/** Order: stable, NaN last, exact for every dtype; gradients go to where the entries stood. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  type AnyTensor,
  argsort,
  type DType,
  fromArray,
  grad,
  jit,
  mul,
  read,
  sort,
  sum,
  type Tensor,
  tensor,
  topK,
  vmap,
} from "../../core/mod.ts";

/** Less, with NaN after everything; -0 equals 0. */
const before = (a: number, b: number, descending: boolean): number =>
  Number.isNaN(a) || Number.isNaN(b)
    ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    : (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1);
const orderOf = (values: readonly number[], descending = false): number[] =>
  [...values.keys()].sort((i, j) => before(values[i]!, values[j]!, descending));

const floats = fc.oneof(
  fc.float({ noNaN: false }),
  fc.constantFrom(0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, -1e-45),
);
const integers = { i32: fc.integer(), u32: fc.nat(4294967295) };

for (const dtype of ["f32", "i32", "u32"] as const) {
  Deno.test(`sort: any list of ${dtype}, ties in their order`, async () => {
    const entry = dtype === "f32" ? floats : fc.oneof(integers[dtype], fc.nat(3));
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (values) => {
        const x: AnyTensor = fromArray(values, [values.length], dtype as DType);
        const own = [...await read(x)] as number[], order = orderOf(own);
        assertEquals([...await read(argsort(x, 0))], order);
        assertEquals([...await read(sort(x, 0))], order.map((i) => own[i]!));
        const { values: top, indices } = topK(x, values.length, 0);
        const down = orderOf(own, true);
        assertEquals([...await read(indices)], down);
        assertEquals([...await read(top)], down.map((i) => own[i]!));
      }),
      { numRuns: 60, seed: 7, examples: [[[]], [[1]], [[2, 1, 2, 1, 2]]] },
    );
  });
}

Deno.test("sort: thousands, of any axis", async () => {
  const data = Float32Array.from({ length: 3 * 2000 }, (_, i) => Math.fround(Math.sin(i * i)));
  const x = fromArray(data, [3, 2000]), got = await read(sort(x, 1));
  for (let r = 0; r < 3; r++) {
    assertEquals(got.slice(r * 2000, (r + 1) * 2000), data.slice(r * 2000, (r + 1) * 2000).sort());
  }
  const columns = await read(sort(x, 0));
  for (const c of [0, 1, 1999]) {
    const want = Float32Array.of(data[c]!, data[2000 + c]!, data[4000 + c]!).sort();
    assertEquals([0, 1, 2].map((r) => columns[r * 2000 + c]!), [...want]);
  }
});

Deno.test("sort: the gradient goes to where each entry stood, in rows and in batches too", async () => {
  const weights = tensor([1, 10, 100, 1000]);
  const loss = (x: Tensor<[4]>): Tensor<[]> => sum(mul(sort(x, 0), weights));
  const x = tensor([3, 1, 2, 1]), want = [1000, 1, 100, 10];
  assertEquals([...await read(grad(loss)(x))], want);
  assertEquals([...await read(jit(grad(loss))(x))], want);
  assertEquals([...await read(vmap(grad(loss))(tensor([[3, 1, 2, 1], [1, 2, 3, 4]])))], [
    ...want,
    1,
    10,
    100,
    1000,
  ]);
});

Deno.test("topK: the gradient goes to the greatest alone", async () => {
  const loss = (x: Tensor<[2, 3]>): Tensor<[]> => sum(topK(x, 2, 1).values);
  const g = grad(loss)(tensor([[5, 1, 7], [NaN, 2, 2]]));
  assertEquals([...await read(g)], [1, 0, 1, 0, 1, 1]);
});

Deno.test("topK: more than there is, or half of one, is refused", () => {
  const x = tensor([1, 2, 3]) as AnyTensor;
  assertThrows(
    () => topK(x, 4, 0),
    TypeError,
    "Cannot topK 4 of [3] over axis 0: size must be in 0..3",
  );
  assertThrows(() => topK(x, 0.5, 0), TypeError, "size must be in 0..3");
  assertThrows(() => sort(tensor([1], "bool") as AnyTensor, 0), TypeError, "it must be of numbers");
});
