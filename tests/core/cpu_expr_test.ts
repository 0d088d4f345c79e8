/** Every operator of the algebra on the cpu, on the edge values of its types, against the JavaScript that the reference runs. */
import { assert, assertEquals } from "@std/assert";
import { type CpuDevice, createDevice } from "../../core/backends/cpu/device.ts";
import { bytesOf, type DType, fromHost, scalarOf, toHost } from "../../core/dtype.ts";
import { compile } from "../../core/expr/javascript.ts";
import type { Expr, ScalarType } from "../../core/expr/expr.ts";
import * as X from "../../core/expr/expr.ts";
import { makeNode, type Node } from "../../core/graph/node.ts";
import type { RowKernel } from "../../core/plan/kernels.ts";
import { aloneInPlan } from "./random_kernel.ts";

const narrow = createDevice(1), wide = createDevice(1, { memory: "16GiB" });
const leaf = (n: number, dtype: DType): Node =>
  makeNode({ kind: "input", shape: [n], dtype, inputs: [] });

/** Runs a map over columns of values on the device, with both kinds of addresses. */
async function onDevice(
  value: Expr,
  columns: readonly (readonly number[])[],
  types: readonly DType[],
  result: DType,
): Promise<ArrayLike<number>> {
  const [out, same] = await Promise.all(
    [narrow, wide].map((d) => runMap(d, value, columns, types, result)),
  );
  assertEquals(same, out, "64-bit addresses change nothing");
  return out!;
}

async function runMap(
  device: CpuDevice,
  value: Expr,
  columns: readonly (readonly number[])[],
  types: readonly DType[],
  result: DType,
): Promise<ArrayLike<number>> {
  const n = columns[0]!.length;
  const kernel: RowKernel = {
    kind: "row",
    outer: [],
    inner: n,
    loads: types.map((t) => ({ base: leaf(n, t), offset: 0, strides: [1] })),
    reductions: [],
    stores: [{ node: leaf(n, result), value, perRow: false }],
  };
  const { graph, plan } = aloneInPlan(kernel), program = device.compilePlan(plan, 0);
  const from = graph.inputs.map((node, i) => {
    const storage = device.allocate(n, node.dtype);
    device.write(storage, toHost(columns[i]!, node.dtype), node.dtype);
    return storage;
  });
  const to = device.allocate(n, result);
  program.run(from, [to]);
  const out = fromHost(await device.read(to, n, result), result);
  [...from, to].forEach((s) => device.free(s));
  program.destroy();
  return out;
}

const edges: { readonly [T in ScalarType]: readonly number[] } = {
  f32: [
    0,
    -0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.7,
    1e-45,
    -1e-40,
    1.17549435e-38,
    3.4028235e38,
    -3.4028235e38,
    Infinity,
    -Infinity,
    NaN,
    2147483648,
    -2147483648,
    4294967296,
    2147483520,
    16777217,
    8388609.5,
    65504,
    1e-7,
  ].map(Math.fround),
  i32: [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -7,
    31,
    32,
    33,
    2147483647,
    -2147483648,
    -2147483647,
    65536,
    16777217,
  ],
  u32: [0, 1, 2, 3, 7, 31, 32, 33, 2147483647, 2147483648, 4294967295, 4294967294, 65536, 16777217],
  bool: [0, 1],
};
const types = Object.keys(edges) as ScalarType[];

function same(got: number, want: number): boolean {
  return Object.is(got, want);
}

async function checkBinary(
  name: string,
  f: (a: Expr, b: Expr) => Expr,
  type: ScalarType,
): Promise<void> {
  const pairs = edges[type].flatMap((a) => edges[type].map((b) => [a, b] as const));
  const value = f(X.operand(0, type), X.operand(1, type)), exact = compile(value);
  const got = await onDevice(
    value,
    [pairs.map((p) => p[0]), pairs.map((p) => p[1])],
    [type, type],
    value.dtype,
  );
  pairs.forEach((p, i) => {
    const want = exact(p);
    assert(same(got[i]!, want), `${type}: ${p[0]} ${name} ${p[1]} is ${got[i]}, not ${want}`);
  });
}

async function checkUnary(name: string, f: (a: Expr) => Expr, type: ScalarType): Promise<void> {
  const value = f(X.operand(0, type)), exact = compile(value);
  const got = await onDevice(value, [edges[type]], [type], value.dtype);
  edges[type].forEach((v, i) => {
    assert(same(got[i]!, exact([v])), `${type}: ${name} ${v} is ${got[i]}, not ${exact([v])}`);
  });
}

const numbers = ["f32", "i32", "u32"] as const,
  integers = ["i32", "u32"] as const,
  words = [...integers, "bool"] as const;
const binary: readonly [string, (a: Expr, b: Expr) => Expr, readonly ScalarType[]][] = [
  ["add", X.add, numbers],
  ["sub", X.sub, numbers],
  ["mul", X.mul, numbers],
  ["div", X.div, numbers],
  ["rem", X.rem, integers],
  ["min", X.min, numbers],
  ["max", X.max, numbers],
  ["gt", X.gt, types],
  ["ge", X.ge, types],
  ["eq", X.eq, types],
  ["and", X.and, words],
  ["or", X.or, words],
  ["xor", X.xor, words],
  ["shl", X.shl, integers],
  ["shr", X.shr, integers],
  ["larger by select", (a, b) => X.select(X.gt(a, b), a, b), types],
  ["smaller by select", (a, b) => X.select(X.gt(a, b), b, a), types],
];
for (const [name, f, of] of binary) {
  Deno.test(`cpu ${name}`, async () => {
    for (const type of of) await checkBinary(name, f, type);
  });
}

const unary: readonly [string, (a: Expr) => Expr, readonly ScalarType[]][] = [
  ["neg", X.neg, numbers],
  ["abs", X.abs, numbers],
  ["sqrt", X.sqrt, ["f32"]],
  ["floor", X.floor, ["f32"]],
  ["ceil", X.ceil, ["f32"]],
  ["round", X.round, ["f32"]],
  ["not", X.not, words],
  ["shl 5", (a) => X.shl(a, 5), integers],
  ["shr 5", (a) => X.shr(a, 5), integers],
  ["roundF16", X.roundF16, ["f32"]],
  ["roundBf16", X.roundBf16, ["f32"]],
  ...types.map((to): [string, (a: Expr) => Expr, readonly ScalarType[]] => [
    `cast to ${to}`,
    (a) => X.cast(a, to),
    types,
  ]),
  ...numbers.map((to): [string, (a: Expr) => Expr, readonly ScalarType[]] => [
    `bitcast to ${to}`,
    (a) => X.bitcast(a, to),
    // The bits of a NaN are not JavaScript's to keep.
    numbers.filter((from) => from !== "f32" && to !== "f32"),
  ]),
];
for (const [name, f, of] of unary) {
  Deno.test(`cpu ${name}`, async () => {
    for (const type of of) await checkUnary(name, f, type);
  });
}

Deno.test("cpu bitcasts between f32 and integers", async () => {
  const bits = [0, 1, 0x3f800000, 0x7f800000, -0x80000000, 0x00400000];
  const floats = await onDevice(X.bitcast(X.operand(0, "i32"), "f32"), [bits], ["i32"], "f32");
  assertEquals([...new Int32Array(Float32Array.from(floats).buffer)], bits);
  const back = await onDevice(
    X.bitcast(X.operand(0), "i32"),
    [[...Array.from(floats)]],
    ["f32"],
    "i32",
  );
  assertEquals([...Array.from(back)], bits);
});

Deno.test("cpu remainder of floats has the sign of the dividend", async () => {
  const pairs = edges.f32.flatMap((a) => edges.f32.map((b) => [a, b] as const))
    .filter(([a, b]) => !(Math.abs(a / b) > 2 ** 28 && Number.isFinite(a) && b !== 0));
  const columns = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
  const got = await onDevice(X.rem(X.operand(0), X.operand(1)), columns, ["f32", "f32"], "f32");
  pairs.forEach(([a, b], i) =>
    assert(same(got[i]!, Math.fround(a % b)), `${a} % ${b} is ${got[i]}`)
  );
});

Deno.test("cpu functions at the edges", async () => {
  for (const f of [X.exp, X.log, X.tanh, X.erf, X.sin, X.cos]) {
    const value = f(X.operand(0)), exact = compile(value);
    // Far from 0 sin and cos promise nothing but a number in -1..1.
    const inputs = edges.f32.filter((v) =>
      !["sin", "cos"].includes(value.op) || !(Math.abs(v) > 1e4) || !Number.isFinite(v)
    );
    const got = await onDevice(value, [inputs], ["f32"], "f32");
    inputs.forEach((v, i) => {
      const want = exact([v]), close = Math.abs(got[i]! - want) <= 3e-7 * Math.abs(want) + 2e-45;
      assert(same(got[i]!, want) || close, `${value.op} ${v} is ${got[i]}, not ${want}`);
    });
  }
});

for (const type of ["f16", "bf16"] as const) {
  Deno.test(`cpu reads and writes every ${type}`, async () => {
    assertEquals(bytesOf(type), 2);
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = [...Array.from(fromHost(bits, type))];
    const read = await onDevice(X.operand(0), [values], [type], "f32");
    const written = await onDevice(X.operand(0), [values], ["f32"], type);
    values.forEach((v, i) => {
      assert(same(read[i]!, v), `reads ${v} as ${read[i]}`);
      assert(same(written[i]!, v), `writes ${v} as ${written[i]}`);
    });
    assertEquals(scalarOf(type), "f32");
  });
}

for (const type of ["f32", "i32", "u32"] as const) {
  Deno.test(`cpu reductions of ${type} at the edges`, async () => {
    for (const combine of ["sum", "max", "min", "peak"] as const) {
      for (const inner of [1, 2, 3, 4, 5, 9, 70]) {
        for (const v of edges[type]) {
          if (combine === "peak" && Number.isNaN(v)) continue;
          const values = Array.from({ length: inner }, (_, i) => i === inner >> 1 ? v : 0);
          const input = leaf(inner, type), out = leaf(1, type);
          const kernel: RowKernel = {
            kind: "row",
            outer: [],
            inner,
            loads: [{ base: input, offset: 0, strides: [1] }],
            reductions: [{ combine, value: X.operand(0, type), phase: 0 }],
            stores: [{ node: out, value: X.operand(1 << 20, type), perRow: true }],
          };
          const device = narrow, program = device.compilePlan(aloneInPlan(kernel).plan, 0);
          const from = device.allocate(inner, type), to = device.allocate(1, type);
          device.write(from, toHost(values, type), type);
          program.run([from], [to]);
          const got = (await device.read(to, 1, type))[0]!;
          const want = combine === "sum"
            ? values.reduce((a, b) => a + b)
            : Math[combine === "peak" ? "max" : combine](...values);
          assert(same(got, want) || got === want, `${combine} of ${values} is ${got}, not ${want}`);
          device.free(from);
          device.free(to);
        }
      }
    }
  });
}
