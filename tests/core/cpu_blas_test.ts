/** Products by the system's BLAS against our own: every layout that it takes, and those that it must be spared. */
import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { findBlas } from "../../core/backends/cpu/blas.ts";
import { suitsBlas } from "../../core/backends/cpu/matmul.ts";
import {
  add,
  type AnyTensor,
  cpu,
  DeviceError,
  everyNth,
  fromArray,
  jit,
  matmul,
  read,
  slice,
  toDevice,
  transpose,
} from "../../core/mod.ts";
import { skip } from "../skip.ts";

const found = findBlas("auto");

/** How a factor lies: as it is, transposed, a part of wider rows, or with gaps between its elements. */
const layouts = ["plain", "transposed", "part", "gaps"] as const;
type Layout = typeof layouts[number];

const drawn = (shape: readonly number[], seed: number): AnyTensor =>
  fromArray(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => Math.sin(seed + i * 7),
    ),
    shape as number[],
  );

/** A tensor to hand over, and the view of it that is a factor [..., rows, columns]. */
function factor(layout: Layout, shape: readonly number[], seed: number) {
  const [rows, columns] = shape.slice(-2) as [number, number], batch = shape.slice(0, -2);
  switch (layout) {
    case "plain":
      return { x: drawn(shape, seed), view: (x: AnyTensor) => x };
    case "transposed":
      return { x: drawn([...batch, columns, rows], seed), view: (x: AnyTensor) => transpose(x) };
    case "part":
      return {
        x: drawn([...batch, rows, columns + 3], seed),
        view: (x: AnyTensor): AnyTensor => slice(x, -1, 2, columns + 2),
      };
    case "gaps":
      return {
        x: drawn([...batch, rows, 2 * columns], seed),
        view: (x: AnyTensor): AnyTensor => everyNth(x, 2, -1),
      };
  }
}

Deno.test("blas: a factor suits it where one of its axes is read in order", () => {
  const plain = { row: 4 * 64, column: 4, dtype: "f32" } as const;
  const turned = { row: 4, column: 4 * 64, dtype: "f32" } as const;
  const sizes = { m: 64, n: 64, k: 64 };
  assert(suitsBlas(plain, turned, sizes));
  assert(!suitsBlas({ ...plain, column: 8, row: 8 * 64 }, plain, sizes));
  assert(!suitsBlas({ ...plain, dtype: "f16" }, plain, sizes));
  assert(!suitsBlas({ ...plain, row: 0 }, plain, sizes));
  assert(!suitsBlas(plain, plain, { m: 4, n: 4, k: 4 }));
});

Deno.test("blas: a library that is not there is refused in words, and nothing is taken without FFI", () => {
  assertThrows(
    () => cpu({ blas: "/nowhere/libnone.so" }),
    DeviceError,
    "Cannot use /nowhere/libnone.so as a BLAS: it must be a library with cblas_sgemm",
  );
  assertEquals(findBlas("off"), undefined);
});

if (!found) skip("blas", "no OpenBLAS or Accelerate on this machine");
else {
  for (const memory of ["4GiB", "16GiB"] as const) {
    Deno.test(`blas: products in every layout are those of our own kernel, ${memory}`, async () => {
      const own = cpu({ blas: "off" }), theirs = cpu({ blas: "auto", memory });
      assert(theirs.description.includes(found.description), theirs.description);
      assert(!own.description.includes(found.description));
      const size = fc.integer({ min: 1, max: 90 }), layout = fc.constantFrom(...layouts);
      const batch = fc.constantFrom([], [3], [2, 4]);
      await fc.assert(
        fc.asyncProperty(batch, size, size, size, layout, layout, async (b, m, n, k, p, q) => {
          const left = factor(p, [...b, m, k], 1), right = factor(q, [...b, k, n], 2);
          const f = (x: AnyTensor, y: AnyTensor): AnyTensor => matmul(left.view(x), right.view(y));
          const results = await Promise.all([own, theirs].map(async (device) => {
            const [x, y] = await Promise.all([left.x, right.x].map((t) => toDevice(t, device)));
            return await read(jit(f, { device })(x!, y!)) as Float32Array;
          }));
          results[1]!.forEach((v, i) => assertLess(Math.abs(v - results[0]![i]!), 1e-5 * k + 1e-6));
        }),
        { numRuns: 120, seed: 7, endOnFailure: true },
      );
      own.destroy();
      theirs.destroy();
    });
  }

  Deno.test("blas: small and large programs in turn, on this thread and on the pool", async () => {
    const device = cpu(), small = drawn([32, 32], 1), large = drawn([300, 300], 2);
    const twice = jit((x: AnyTensor): AnyTensor => add(matmul(x, x) as AnyTensor, x), { device });
    for (const x of [small, large, small]) {
      const n = x.shape[0]!, host = await read(x), got = await read(twice(x));
      for (const i of [0, n + 1, n * n - 1]) {
        let sum = host[i]!;
        for (let k = 0; k < n; k++) sum += host[n * Math.floor(i / n) + k]! * host[n * k + i % n]!;
        assertLess(Math.abs(got[i]! - sum), 1e-3);
      }
    }
    device.destroy();
  });
}
