/** Every operator on every scalar type in WGSL, special values among the operands, against JavaScript. */
import * as X from "../../core/expr/expr.ts";
import type { Expr, ScalarType } from "../../core/expr/expr.ts";
import { compile } from "../../core/expr/javascript.ts";
import { makeNode } from "../../core/graph/node.ts";
import type { Kernel } from "../../core/plan/kernels.ts";
import type { WebGpuDevice } from "../../core/backends/webgpu/device.ts";
import { aloneInPlan } from "./random_kernel.ts";
import { runPlan, webgpuTest, webgpuTestOnce } from "./webgpu_device.ts";
import { assertEquals } from "@std/assert";
import { type AnyTensor, fromArray, jit, read, softmax, toDevice } from "../../core/mod.ts";

const TINY = 2 ** -126;
const specials: Record<ScalarType, readonly number[]> = {
  f32: [
    ...[NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, -7.25, 1e-7],
    ...[TINY, -TINY, TINY / 8, -TINY / 8, 1e-38, 3e38, -3e38, 1e10, -1e10, 8388609, 12345.678],
    ...[2147483520, 2147483648, -2147483648, -2147483904, 4294967040, 4294967296, 88.5, -104],
  ].map(Math.fround),
  i32: [0, 1, -1, 2, 3, -3, 7, -7, 31, 32, 33, 100, 65535, 2147483647, -2147483648, -2147483647],
  u32: [0, 1, 2, 3, 7, 31, 32, 33, 100, 65535, 2147483647, 2147483648, 4294967295, 0x7fc00001],
  bool: [0, 1],
};

type Binary = (a: Expr, b: Expr) => Expr;
const both = (f: (a: X.Arg, b: X.Arg) => Expr): Binary => (a, b) => f(a, b);
const one = (f: (a: Expr) => Expr): Binary => (a) => f(a);

/** "exact" to the bit; "zero" up to the sign of zero; a number is a relative error, and denormals may be flushed. */
type Bound = "exact" | "zero" | number;
const arithmetic: readonly (readonly [string, Binary, Bound])[] = [
  ["add", both(X.add), 0],
  ["sub", both(X.sub), 0],
  ["mul", both(X.mul), 0],
  ["div", both(X.div), 3e-7],
  ["min", both(X.min), "zero"],
  ["max", both(X.max), "zero"],
  ["neg", one(X.neg), "exact"],
  ["abs", one(X.abs), "exact"],
  ["gt", both(X.gt), "exact"],
  ["ge", both(X.ge), "exact"],
  ["eq", both(X.eq), "exact"],
  ["select", (a, b) => X.select(X.gt(a, b), a, b), "exact"],
];
const floats: readonly (readonly [string, Binary, Bound])[] = [
  ["sqrt", one(X.sqrt), 3e-7],
  ["floor", one(X.floor), 0],
  ["ceil", one(X.ceil), 0],
  ["round", one(X.round), 0],
  ["exp", one(X.exp), 1e-6],
  ["expDown", one((x) => X.expDown(X.neg(X.abs(x)))), 1e-6],
  ["log", one(X.log), 1e-6],
  ["tanh", one(X.tanh), 1e-6],
  ["erf", one(X.erf), 1e-6],
  ["sin", (a) => X.sin(X.select(X.gt(1e4, X.abs(a)), a, 0.5)), 1e-6],
  ["cos", (a) => X.cos(X.select(X.gt(1e4, X.abs(a)), a, 0.5)), 1e-6],
  ["roundF16", one(X.roundF16), "exact"],
  ["roundBf16", one(X.roundBf16), "exact"],
  ["to i32", (a) => X.cast(a, "i32"), "exact"],
  ["to u32", (a) => X.cast(a, "u32"), "exact"],
  ["to bool", (a) => X.cast(a, "bool"), "exact"],
  ["bits i32", (a) => X.bitcast(a, "i32"), "exact"],
  ["bits u32", (a) => X.bitcast(a, "u32"), "exact"],
  [
    "is NaN by bits",
    (a) => X.gt(X.and(X.bitcast(a, "u32"), 0x7fffffff), X.constant(0x7f800000, "u32")),
    "exact",
  ],
];
const integers: readonly (readonly [string, Binary, Bound])[] = [
  ["rem", both(X.rem), "exact"],
  ["and", both(X.and), "exact"],
  ["or", both(X.or), "exact"],
  ["xor", both(X.xor), "exact"],
  ["not", one(X.not), "exact"],
  ["shl", (a, b) => X.shl(a, b), "exact"],
  ["shr", (a, b) => X.shr(a, b), "exact"],
  ["to f32", (a) => X.cast(a, "f32"), 0],
  ["to bool", (a) => X.cast(a, "bool"), "exact"],
  ["to i32", (a) => X.cast(a, "i32"), "exact"],
  ["to u32", (a) => X.cast(a, "u32"), "exact"],
  ["bits f32", (a) => X.bitcast(a, "f32"), "exact"],
];
const bools: readonly (readonly [string, Binary, Bound])[] = [
  ["and", both(X.and), "exact"],
  ["or", both(X.or), "exact"],
  ["xor", both(X.xor), "exact"],
  ["not", one(X.not), "exact"],
  ["eq", both(X.eq), "exact"],
  ["select", (a, b) => X.select(a, b, X.not(b)), "exact"],
  ["to f32", (a) => X.cast(a, "f32"), "exact"],
  ["to i32", (a) => X.cast(a, "i32"), "exact"],
  ["to u32", (a) => X.cast(a, "u32"), "exact"],
];
const rows: Record<ScalarType, readonly (readonly [string, Binary, Bound])[]> = {
  f32: [...arithmetic, [
    "rem",
    (a, b) =>
      X.rem(
        X.select(X.gt(1e4, X.abs(a)), a, 2.75),
        X.select(X.or(X.gt(X.abs(b), 0.01), X.eq(b, 0)), b, 0.75),
      ),
    1e-6,
  ], ...floats],
  i32: [...arithmetic, ...integers],
  u32: [...arithmetic, ...integers],
  bool: bools,
};

function agrees(got: number, want: number, bound: Bound): boolean {
  if (Object.is(got, want) || Number.isNaN(got) && Number.isNaN(want)) return true;
  if (bound === "exact") return false;
  if (got === want) return true;
  if (bound === "zero") return false;
  return Math.abs(got - want) <= Math.max(bound * Math.abs(want), TINY);
}

async function check(
  device: WebGpuDevice,
  dtype: ScalarType,
  op: Binary,
  bound: Bound,
  size: number,
): Promise<string[]> {
  const values = specials[dtype], e = op(X.operand(0, dtype), X.operand(1, dtype));
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
  // Cut to `size` lanes in a row: a multiple of four is computed in vectors, any other is not.
  const a = pairs.slice(0, size).map((p) => p[0]), b = pairs.slice(0, size).map((p) => p[1]);
  const leaf = (type: ScalarType) =>
    makeNode({ kind: "input", shape: [a.length], dtype: type, inputs: [] });
  const store = leaf(e.dtype);
  const load = () => ({ base: leaf(dtype), offset: 0, strides: [1] });
  const k: Kernel = {
    kind: "row",
    outer: [],
    inner: a.length,
    loads: [load(), load()],
    reductions: [],
    stores: [{ node: store, value: e, perRow: false }],
  };
  const { graph, plan } = aloneInPlan(k);
  const [got] = await runPlan(device, graph, plan, [a, b]);
  const run = compile(e);
  return a.flatMap((x, i) => {
    const want = run([x, b[i]!]);
    return agrees(got![i]!, want, bound) ? [] : [`(${x}, ${b[i]}) gives ${got![i]}, not ${want}`];
  });
}

for (const dtype of ["f32", "i32", "u32", "bool"] as const) {
  webgpuTestOnce("values", `every operator on ${dtype}`, async (device) => {
    const failures: string[] = [];
    const full = specials[dtype].length ** 2;
    for (const [name, op, bound] of rows[dtype]) {
      for (const size of [full - full % 4, full - 1 + full % 2]) {
        const wrong = await check(device, dtype, op, bound, size);
        if (wrong.length) {
          failures.push(
            `${name} of ${size}: ${wrong.length} wrong: ${wrong.slice(0, 6).join("; ")}`,
          );
        }
      }
    }
    if (failures.length) throw new RangeError(failures.join("\n"));
  });
}

webgpuTest(
  "values",
  "NaN anywhere in a row makes its softmax NaN, and no other row's",
  async (device) => {
    for (const width of [5, 64, 300]) {
      const rows = [...Array(width).keys()].map((at) =>
        Array.from({ length: width }, (_, i) => i === at && at % 3 ? NaN : i % 7)
      );
      const x = fromArray(Float32Array.from(rows.flat()), [width, width]) as AnyTensor;
      const given = await toDevice([x], device);
      const [y] = jit((x: AnyTensor) => [softmax(x, 1)], { device })(given[0]!);
      const found = await read(y!) as Float32Array;
      const nan = [...found].map(Number.isNaN);
      assertEquals(nan, rows.flatMap((_, at) => Array.from({ length: width }, () => at % 3 > 0)));
    }
  },
);
