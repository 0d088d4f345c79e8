/** What the cpu backend's row kernels do to be fast: values kept between passes, folds with several states, vectors abreast. */
import { assert, assertEquals } from "@std/assert";
import {
  add,
  type AnyTensor,
  cast,
  div,
  exp,
  fromArray,
  jit,
  logSoftmax,
  max,
  mean,
  min,
  mul,
  read,
  reference,
  softmax,
  sub,
  sum,
  toDevice,
} from "../../core/mod.ts";
import { createDevice } from "../../core/backends/cpu/device.ts";
import { keptBytes, keptValues } from "../../core/backends/cpu/row_kept.ts";
import { prepared } from "../../core/backends/cpu/simd_expr.ts";
import type { Device } from "../../core/device/device.ts";
import * as X from "../../core/expr/expr.ts";
import { makeNode } from "../../core/graph/node.ts";
import type { RowKernel } from "../../core/plan/kernels.ts";

const thresholds = { pool: 0, serial: 0 };
const devices = [createDevice(1), createDevice(3, { thresholds })];
type Program = (...inputs: AnyTensor[]) => AnyTensor[];

/** A number near 0 for every place. */
const values = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 1013) / 200 - 2.5);

async function on(device: Device, f: Program, inputs: readonly AnyTensor[], donate: number[] = []) {
  const given = await toDevice([...inputs], device);
  const results = jit(f, { device, donate })(...given);
  return await Promise.all(results.map(async (r) => [...await read(r) as Float32Array]));
}

function assertNear(
  found: readonly number[][],
  wanted: readonly number[][],
  what: string,
  relative = 1e-5,
): void {
  wanted.forEach((want, part) =>
    want.forEach((w, i) => {
      const f = found[part]![i]!;
      const near = Object.is(f, w) || Math.abs(f - w) <= 1e-6 + relative * Math.abs(w);
      assert(near, `${what}, result ${part}: element ${i} is ${f}, not ${w}`);
    })
  );
}

/** Widths around vectors, blocks of vectors, and their ends. */
const widths = [1, 3, 4, 7, 31, 32, 33, 36, 63, 67, 130, 1029];
const programs: { readonly [name: string]: Program } = {
  softmax: (x) => [softmax(x!, 1)],
  "two kept values and the input after them": (x) => {
    const e = exp(x!), f = exp(mul(x!, -0.5));
    const a = sum(e, 1, { keepdims: true }), b = sum(f, 1, { keepdims: true });
    return [sub(mul(div(e, a), div(f, b)), x!), mul(e, b)];
  },
  "a row's result beside": (x) => {
    const e = exp(sub(x!, max(x!, 1, { keepdims: true })));
    return [div(e, sum(e, 1, { keepdims: true })), sum(mul(e, x!), 1)];
  },
  "f16 and back": (x) => {
    const h = cast(x!, "f16"), e = exp(cast(h, "f32"));
    return [cast(div(e, sum(e, 1, { keepdims: true })), "f16")].map((y) => cast(y, "f32"));
  },
};

for (const [name, program] of Object.entries(programs)) {
  Deno.test(`cpu rows: ${name}, the input given away or not`, async () => {
    for (const width of widths) {
      const input = () => [fromArray(values(5 * width), [5, width]) as AnyTensor];
      const wanted = await on(reference(), program, input());
      for (const device of devices) {
        for (const donate of [[], [0]]) {
          const found = await on(device, program, input(), donate);
          assertNear(found, wanted, `width ${width}, ${donate.length} donated`);
        }
      }
    }
  });
}

Deno.test("cpu rows: the greatest and the least keep NaN and the sign of zero at every place", async () => {
  const both: Program = (x) => [max(x!, 1), min(x!, 1)];
  for (const width of [5, 32, 33, 67]) {
    const rows: number[][] = [];
    for (const [fill, odd] of [[-0, 0], [0, -0], [-1, -0], [1, 0], [2, NaN], [-Infinity, -3]]) {
      for (let at = 0; at < width; at++) {
        rows.push(Array.from({ length: width }, (_, i) => i === at ? odd! : fill!));
      }
      rows.push(Array.from({ length: width }, () => fill!));
    }
    // A quiet NaN with its sign set, as 0 / 0 gives on x86.
    const data = Float32Array.from(rows.flat()), bits = new Int32Array(data.buffer);
    rows.forEach((row, r) =>
      row.forEach((v, i) => Number.isNaN(v) && r % 2 && (bits[r * width + i] = -0x400000))
    );
    const wanted = rows.map((row) => [Math.max(...row), Math.min(...row)]);
    for (const device of devices) {
      const found = await on(device, both, [fromArray(data, [rows.length, width]) as AnyTensor]);
      assertEquals(found, [0, 1].map((k) => wanted.map((w) => w[k]!)), `width ${width}`);
    }
  }
});

Deno.test("cpu rows: NaN or infinity anywhere in a row makes its softmax NaN, and no other row's", async () => {
  const program: Program = (x) => [softmax(x!, 1), logSoftmax(x!, 1)];
  for (const width of [1, 5, 32, 33, 67]) {
    const rows = [NaN, Infinity].flatMap((odd) =>
      [0, -Infinity, 100].flatMap((fill) =>
        Array.from({ length: width }, (_, at) => {
          const row = Array.from({ length: width }, (_, i) => i === at ? odd : fill);
          return [row, Array.from({ length: width }, (_, i) => i === at ? -Infinity : i)];
        }).flat()
      )
    );
    // Of -infinity alone it is NaN too.
    const isNaN = rows.map((row) =>
      !row.every((v) => v < Infinity) || row.every((v) => v === -Infinity)
    );
    for (const device of [reference(), ...devices]) {
      const input = fromArray(Float32Array.from(rows.flat()), [rows.length, width]) as AnyTensor;
      for (const found of await on(device, program, [input])) {
        const nan = rows.map((_, r) => found.slice(r * width, (r + 1) * width).map(Number.isNaN));
        assertEquals(nan, isNaN.map((is) => Array.from({ length: width }, () => is)));
      }
    }
  }
});

Deno.test("cpu rows: a sum takes its product unrounded, whatever else the kernel computes", async () => {
  const draw = (seed: number) => (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  const inputs = () => [1, 2, 3].map((k) => fromArray(mapped(k), [8, 67]) as AnyTensor);
  const mapped = (k: number) => values(8 * 67).map((v, i) => Math.fround(v * Math.sin(k + i)));
  for (let seed = 1; seed <= 40; seed++) {
    /** Sums, differences and products of what is there, the last of all that was made; `also` says which others are results too. */
    const program = (also: (i: number, n: number) => boolean): Program => (...xs) => {
      const next = draw(seed),
        made: AnyTensor[] = [],
        pick = (): AnyTensor => {
          const all = [...xs, ...made];
          return all[next(all.length)]!;
        };
      const row = mean(xs[0]!, 1, { keepdims: true });
      for (let i = 0; i < 8; i++) {
        const product = mul(pick(), next(4) ? pick() : row);
        made.push(product, next(2) ? add(product, pick()) : sub(pick(), product));
      }
      const last = made.pop()!;
      return [last, sum(last, 1), ...made.filter((_, i) => also(i, made.length))];
    };
    const [want, total] = await on(devices[0]!, program(() => false), inputs());
    for (const other of [() => true, (i: number) => i % 2 === 0, (i: number) => i % 3 === 0]) {
      const found = await on(devices[0]!, program(other), inputs());
      assertEquals(found.slice(0, 2), [want, total], `seed ${seed}`);
    }
  }
});

Deno.test("cpu rows: what is dear is kept, what is cheap or too long is not", () => {
  const load = {
    base: makeNode({ kind: "input", shape: [8], dtype: "f32", inputs: [] }),
    offset: 0,
  };
  const kernel = (inner: number): RowKernel => ({
    kind: "row",
    outer: [2],
    inner,
    loads: [{ ...load, strides: [0, 1] }, { ...load, strides: [1, 0] }],
    reductions: [],
    stores: [],
  });
  const [x, row] = [X.operand(0), X.operand(1)];
  const count = (inner: number, e: X.Expr, last: X.Expr = X.mul(e, x)): number => {
    const passes = [[e], [X.mul(e, 2)], [last]].map(prepared);
    return keptValues(kernel(inner), passes).size;
  };
  assertEquals(count(100, X.exp(x)), 1);
  assertEquals(count(100, X.sub(x, row)), 0);
  assertEquals(count(100, X.exp(row)), 0, "the same in the whole row");
  assertEquals(count(1 << 20, X.exp(x)), 0);
  // exp is a product at last; where it goes into a sum it is its factors that are kept, as the sum may take it unrounded.
  assertEquals(count(100, X.exp(x), X.add(X.exp(x), x)), 2);
  assertEquals(keptBytes(5), 32);
});

Deno.test("cpu columns: rows around blocks, columns around tiles, a number for each row", async () => {
  const program: Program = (x, scale) => {
    const y = mul(x!, scale!);
    return [sum(y, 1), max(y, [0, 1]), sum(cast(y, "bf16"), 1)].map((r) => cast(r, "f32"));
  };
  for (const rows of [1, 7, 8, 9, 19]) {
    for (const width of [1, 5, 64, 1023, 1030, 2051]) {
      const inputs = () => [
        fromArray(values(2 * rows * width), [2, rows, width]) as AnyTensor,
        fromArray(values(2 * rows), [2, rows, 1]) as AnyTensor,
      ];
      const wanted = await on(reference(), program, inputs());
      for (const device of devices) {
        const found = await on(device, program, inputs());
        // bf16 keeps eight bits, and sums in another order may round to a neighbour.
        assertNear(found.slice(0, 2), wanted.slice(0, 2), `${rows} rows of ${width}`, 1e-4);
        assertNear(found.slice(2), wanted.slice(2), `${rows} rows of ${width}`, 2 ** -7);
      }
    }
  }
});
