import { assert, assertEquals, assertThrows } from "@std/assert";
import { cpu } from "../../core/backends/cpu/mod.ts";
import { reference } from "../../core/backends/reference/mod.ts";
import { erf } from "../../core/expr/javascript.ts";
import * as M from "../../core/mod.ts";

type Op = (...xs: readonly M.AnyTensor[]) => M.AnyTensor;
type Row = readonly [
  op: Op,
  math: (...xs: number[]) => number,
  samples: readonly (readonly number[])[],
  /** Relative error allowed, in units of 2^-24. */
  ulps?: number,
];

const line = (lo: number, hi: number, n = 101): number[] =>
  Array.from({ length: n }, (_, i) => lo + (hi - lo) * i / (n - 1));
const tiny = [1e-3, 1e-5, 1e-7, 1e-20, -1e-3, -1e-5, -1e-7, -1e-20];
const wide = [...line(-9, 9), ...tiny, 0, 25, -25, 80, -80];
const positive = [...line(0.01, 20), 1e-30, 1e30, 1, 1 + 2 ** -20, 1 - 2 ** -20];
const whole = [...line(-3, 3, 25), 1e9, -1e9, 8388607.5];
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The mathematics that each op claims, in double precision, beside the law that backends agree. */
const table: { readonly [name: string]: Row } = {
  sqrt: [M.sqrt, Math.sqrt, [positive], 1],
  rsqrt: [M.rsqrt, (x) => 1 / Math.sqrt(x), [positive], 3],
  reciprocal: [M.reciprocal, (x) => 1 / x, [positive], 1],
  exp: [M.exp, Math.exp, [wide], 4],
  expm1: [M.expm1, Math.expm1, [wide], 8],
  log: [M.log, Math.log, [positive], 4],
  log1p: [M.log1p, Math.log1p, [[...positive, ...tiny, -0.5, -0.999]], 8],
  log2: [M.log2, Math.log2, [positive], 6],
  tanh: [M.tanh, Math.tanh, [wide], 8],
  erf: [M.erf, erf, [wide], 8],
  sigmoid: [M.sigmoid, sigmoid, [wide], 8],
  silu: [M.silu, (x) => x * sigmoid(x), [wide], 10],
  softplus: [M.softplus, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), [wide], 10],
  relu: [M.relu, (x) => Math.max(x, 0), [wide], 0],
  square: [M.square, (x) => x * x, [wide], 1],
  abs: [M.abs, Math.abs, [wide], 0],
  sign: [M.sign, Math.sign, [wide], 0],
  floor: [M.floor, Math.floor, [whole], 0],
  ceil: [M.ceil, Math.ceil, [whole], 0],
  trunc: [M.trunc, Math.trunc, [whole], 0],
  sub: [M.sub as Op, (a, b) => a - b, [line(-3, 3), line(5, -1)], 1],
  div: [M.div as Op, (a, b) => a / b, [line(-3, 3), line(5, 1)], 1],
  rem: [M.rem as Op, (a, b) => a % b, [line(-30, 30), line(5, 1)], 1],
  maximum: [M.maximum as Op, Math.max, [line(-3, 3), line(3, -3)], 0],
  minimum: [M.minimum as Op, Math.min, [line(-3, 3), line(3, -3)], 0],
  pow: [M.pow as Op, Math.pow, [line(0.1, 5), line(-3, 6)], 40],
};

for (const [name, [op, math, samples, ulps = 0]] of Object.entries(table)) {
  Deno.test(`elementwise: ${name} is what Math says, to ${ulps} units in the last place`, async () => {
    const xs = samples.map((s) => Float32Array.from(s));
    for (const device of [reference(), cpu()]) {
      const f = M.jit(op, { device });
      const ys = await M.read(f(...xs.map((x) => M.fromArray(x, [x.length]) as M.AnyTensor)));
      Array.from(ys as Float32Array).forEach((y, i) => {
        const at = xs.map((x) => x[i]!), want = math(...at);
        const allowed = ulps * 2 ** -24 * Math.abs(want) + 2 ** -149;
        const message = `${device.kind} ${name}(${at.join(", ")}) is ${y}, not ${want}`;
        assert(
          Math.abs(y - want) <= Math.max(allowed, Math.abs(Math.fround(want) - want)),
          message,
        );
      });
    }
  });
}

Deno.test("elementwise: gelu is x/2 (1 + erf(x/√2)), its approximation near it", async () => {
  const x = Float32Array.from(line(-4, 4)), t = M.fromArray(x, [x.length]);
  const exact = await M.read(M.gelu(t)), near = await M.read(M.geluTanh(t));
  x.forEach((v, i) => {
    const want = v / 2 * (1 + erf(v / Math.SQRT2));
    assert(Math.abs(exact[i]! - want) < 1e-6, `gelu(${v}) is ${exact[i]}, not ${want}`);
    assert(Math.abs(near[i]! - want) < 5e-4, `geluTanh(${v}) is ${near[i]}, not near ${want}`);
  });
});

Deno.test("elementwise: gelu's slope is Φ(x) + x φ(x), and far out it is 0 or 1 to the bit", async () => {
  const x = Float32Array.from(line(-8, 8)), t = M.fromArray(x, [x.length]);
  const slopes = await M.read(M.grad((y: typeof t) => M.sum(M.gelu(y)))(t));
  x.forEach((v, i) => {
    const cdf = (1 + erf(v / Math.SQRT2)) / 2,
      density = Math.exp(-v * v / 2) / Math.sqrt(2 * Math.PI);
    const want = cdf + v * density;
    assert(Math.abs(slopes[i]! - want) < 2e-6, `the slope at ${v} is ${slopes[i]}, not ${want}`);
  });
  assertEquals([...await M.read(M.gelu(M.tensor([-6, -100, 6, 100])))], [-0, -0, 6, 100]);
});

Deno.test("elementwise: round goes to even, integers wrap, division by zero gives 0", async () => {
  const numbers = async (x: M.AnyTensor): Promise<number[]> => Array.from(await M.read(x));
  assertEquals(await numbers(M.round(M.tensor([0.5, 1.5, 2.5, -0.5]))), [0, 2, 2, -0]);
  const top = M.tensor([2147483647], "i32");
  assertEquals(await numbers(M.add(top, 1)), [-2147483648]);
  assertEquals(await numbers(M.mul(top, top)), [1]);
  assertEquals(await numbers(M.neg(M.tensor([1], "u32"))), [4294967295]);
  assertEquals(await numbers(M.div(top, 0)), [0]);
  assertEquals(await numbers(M.rem(top, 0)), [0]);
  assertEquals(await numbers(M.shiftLeft(M.tensor([1, 1], "i32"), M.tensor([31, 33], "i32"))), [
    -2147483648,
    2,
  ]);
});

Deno.test("elementwise: pow follows C where a base is negative or zero", async () => {
  const x = M.tensor([-2, -2, -2, 0, -0, -0, 0, NaN]), y = M.tensor([3, 2, 0.5, -1, -1, 3, 0, 0]);
  assertEquals([...await M.read(M.pow(x, y))].map((v) => Math.fround(Math.round(v * 1e5) / 1e5)), [
    -8,
    4,
    NaN,
    Infinity,
    -Infinity,
    -0,
    1,
    1,
  ]);
});

Deno.test("elementwise: nothing promotes in silence", () => {
  const f = M.tensor([1]) as M.AnyTensor, i = M.tensor([1], "i32");
  assertThrows(() => M.add(f, i), TypeError, "Cannot add f32 with i32: dtypes must be equal");
  assertThrows(() => M.add(i, 0.5), TypeError, "Cannot add i32 with 0.5: the number must be whole");
  assertThrows(() => M.where(M.tensor([1], "bool"), f, i), TypeError, "Cannot where f32 with i32");
  assertThrows(() => M.clamp(i, 3, 1), RangeError, "low must not be above high");
  assertThrows(() => M.argmax(M.zeros([2, 0]), 1), RangeError, "it must not be empty");
});
