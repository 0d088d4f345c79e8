/** How much fuses, and what must not. */
import { assertEquals } from "@std/assert";
import * as X from "../../core/expr/expr.ts";
import * as build from "../../core/graph/build.ts";
import { makeNode, type Node } from "../../core/graph/node.ts";
import { operandsOf, writesOf } from "../../core/plan/kernels.ts";
import { checked, graphOf, planOf } from "./plan_check.ts";
import {
  block,
  gelu,
  ids,
  input,
  layerNorm,
  linear,
  softmax,
  sumAll,
  sumLast,
} from "./plan_models.ts";

const { add, compute, mul } = build;

/** Kinds of the kernels of a plan, which is also checked. */
function kinds(outputs: readonly Node[], inputs: readonly Node[], bindings = 8): string[] {
  return checked(graphOf(outputs, inputs), bindings).kernels.map((k) => k.kind);
}

Deno.test("softmax, layerNorm, gelu and what stands around them are one kernel each", () => {
  const x = input(32, 24), g = input(24), b = input(24), m = input(24);
  const scaled = add(compute((e) => X.mul(e, 0.5), [x]), m);
  assertEquals(kinds([softmax(x)], [x]), ["row"]);
  assertEquals(kinds([layerNorm(x, g, b)], [x, g, b]), ["row"]);
  assertEquals(kinds([gelu(x)], [x]), ["row"]);
  assertEquals(kinds([softmax(scaled)], [x, m]), ["row"]);
  assertEquals(kinds([layerNorm(add(x, gelu(x)), g, b)], [x, g, b]), ["row"]);
  const k = planOf([softmax(x)], [x]).kernels[0]!;
  assertEquals(k.kind === "row" && k.reductions.map((r) => r.phase), [0, 1]);
});

Deno.test("rows of different ranks fuse: heads split from channels, [B, T, C] and [B * T, C]", () => {
  const x = input(4, 4, 12), flat = build.reshape(x, [16, 12]);
  const y = build.reshape(softmax(flat), [4, 4, 2, 6]);
  assertEquals(kinds([compute(X.tanh, [y])], [x]), ["row"]);
  assertEquals(kinds([gelu(build.reshape(add(x, x), [4, 48]))], [x]), ["row"]);
});

Deno.test("a transposed factor is a view: NN, NT and TN are one kernel", () => {
  const a = input(4, 6), b = input(6, 5), t = build.transpose;
  assertEquals(kinds([build.product(a, b)], [a, b]), ["matmul"]);
  assertEquals(kinds([build.product(t(b), t(a))], [a, b]), ["matmul"]);
  const x = input(2, 3, 4, 6), heads = build.permute(x, [0, 2, 1, 3]);
  assertEquals(kinds([build.product(heads, t(heads))], [x]), ["matmul"]);
});

Deno.test("a product with one matrix for a whole batch is one tall product", () => {
  const x = input(3, 4, 5), w = input(5, 2);
  const plan = checked(graphOf([build.product(x, build.broadcastTo(w, [3, 5, 2]))], [x, w]));
  assertEquals(plan.kernels.map((k) => k.kind === "matmul" && [k.batch, k.m]), [[[], 12]]);
});

Deno.test("a map that a product reads is stored; what follows a product or a gather does not join it", () => {
  const x = input(4, 6), w = input(6, 5), at = ids(3);
  assertEquals(kinds([gelu(build.product(gelu(x), w))], [x, w]), ["row", "matmul", "row"]);
  assertEquals(kinds([gelu(build.gather(x, at))], [x, at]), ["gather", "row"]);
});

Deno.test("equal work is done once, dead work never, an unread input is no work", () => {
  const x = input(4, 6), unread = input(7), twice = add(sumLast(gelu(x)), sumLast(gelu(x)));
  const plan = checked(graphOf([build.product(build.transpose(twice), x)], [x, unread]));
  const sums = plan.kernels.flatMap((k) => k.kind === "row" ? k.reductions : []);
  assertEquals(sums.length, 1);
  const a = build.product(x, build.transpose(x)), b = build.product(x, build.transpose(x));
  assertEquals(kinds([add(a, b)], [x]), ["matmul", "row"]);
});

Deno.test("equal work behind a barrier is done again, after what it waits for", () => {
  const x = input(4, 4), first = build.product(x, x);
  const late = build.alias(x, [first]), again = build.product(late, late);
  const plan = checked(graphOf([add(first, compute(X.tanh, [again]))], [x]));
  assertEquals(plan.kernels.map((k) => k.kind), ["matmul", "matmul", "row"]);
  assertEquals(writesOf(plan.kernels[0]!)[0] === first, true);
});

Deno.test("constants and counters take no memory: a causal mask is part of the softmax", () => {
  const x = input(8, 8), [i, j] = [0, 1].map((axis) => build.coordinate([8, 8], axis));
  const mask = compute((a, b) => X.select(X.ge(a, b), 0, -1e9), [i!, j!]);
  assertEquals(kinds([softmax(add(x, mask))], [x]), ["row"]);
  const twos = build.full([8, 8], 2), four = mul(twos, twos);
  const [k] = checked(graphOf([mul(x, four)], [x])).kernels;
  assertEquals(operandsOf(k!).length, 1);
  // Sums of constants, and of nothing, are constants.
  const none = build.reshape(sumLast(build.slice(x, [0, 0], [8, 0])), [8, 1]);
  assertEquals(
    operandsOf(checked(graphOf([add(x, add(none, sumLast(twos)))], [x])).kernels[0]!).length,
    1,
  );
});

Deno.test("a residual sum of two big tensors is stored, a cheap map of one is repeated", () => {
  const x = input(16, 64), y = input(16, 64), w = input(64, 64);
  const inner = [build.product(x, w), build.product(y, w)], r = add(inner[0]!, inner[1]!);
  const uses = [gelu(r), build.product(build.transpose(softmax(r)), r)];
  const plan = checked(graphOf(uses, [x, y, w]));
  const readers = plan.kernels.filter((k) => operandsOf(k).some((o) => o.base === inner[0]));
  assertEquals(readers.length, 1);
});

Deno.test("expensive expressions are not repeated many times", () => {
  const x = input(64),
    hash = (e: X.Expr): X.Expr => {
      let z = e;
      for (let i = 0; i < 100; i++) z = X.mul(X.add(z, 0.1 * i), 1 + i / 64);
      return X.tanh(z);
    };
  const bits = compute(hash, [x]);
  // Each reader needs it in another kernel: rows, columns, reversed, halves.
  const uses = [
    build.product(build.reshape(bits, [8, 8]), build.reshape(x, [8, 8])),
    build.reduce("sum", build.reshape(bits, [8, 8]), [0]),
    build.slice(bits, [63], [64], [-1]),
    build.slice(bits, [32], [32]),
  ];
  const outputs = uses.map((u) => compute(X.neg, [u]));
  const kernels = checked(graphOf(outputs, [x])).kernels;
  const heavy = kernels.flatMap((k) => k.kind === "row" ? k.stores.map((s) => s.value) : [])
    .filter((e) => X.topological([e]).some((n) => n.op === "tanh"));
  assertEquals(heavy.length, 1);
});

Deno.test("sums down rows take what they sum with them, several row axes at once", () => {
  const x = input(5, 4, 6), y = input(5, 4, 6), bias = build.reduce("sum", mul(x, gelu(y)), [0, 1]);
  const plan = checked(graphOf([bias], [x, y]));
  assertEquals(plan.kernels.map((k) => k.kind), ["column"]);
  const rows = input(5, 4, 1), scaled = build.reduce("sum", mul(x, rows), [0, 1]);
  assertEquals(kinds([scaled], [x, rows]), ["column"]);
});

Deno.test("reductions over any axes", () => {
  const x = input(3, 4, 5, 6);
  const over = [[0], [1], [2], [3], [0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3], [0, 1, 3], [
    0,
    2,
    3,
  ]];
  const outputs = over.map((axes) => build.reduce("sum", x, axes));
  checked(graphOf(outputs, [x]));
  const turned = build.permute(x, [2, 0, 3, 1]);
  checked(graphOf(over.map((axes) => build.reduce("max", turned, axes)), [x]));
});

Deno.test("a long sum is shared: chunks first, then their sums", () => {
  const x = input(1 << 15), w = input(4096, 40);
  const plan = checked(graphOf([sumAll(mul(x, x))], [x]));
  const shapes = plan.kernels.map((k) =>
    k.kind === "row" && [k.outer.reduce((a, b) => a * b, 1), k.inner]
  );
  assertEquals(shapes, [[128, 256], [1, 128]]);
  const columns = checked(graphOf([build.reduce("sum", w, [0])], [w])).kernels;
  assertEquals(columns.map((k) => k.kind === "column" && k.columns), [2560, 40]);
  // A loss of long rows: its sum joins the kernel that has the rows.
  const logits = input(64, 512);
  assertEquals(kinds([sumAll(softmax(compute(X.tanh, [logits])))], [logits]), ["row", "row"]);
});

Deno.test("few long rows stay maps and reductions that share a row's elements", () => {
  const x = input(2, 16384);
  const wide = planOf([softmax(x)], [x]).kernels;
  assertEquals(
    wide.every((k) => k.kind !== "row" || k.reductions.length === 0 || k.inner < 8192),
    true,
  );
});

Deno.test("no kernel touches more buffers than it may", () => {
  const xs = Array.from({ length: 20 }, () => input(6, 4));
  const total = xs.reduce((a, b) => add(a, gelu(b)));
  for (const bindings of [4, 6, 8]) {
    const plan = checked(graphOf([total, sumLast(total)], xs), bindings);
    for (const k of plan.kernels) {
      const buffers = new Set([...operandsOf(k).map((o) => o.base), ...writesOf(k)]);
      assertEquals(buffers.size <= bindings, true);
    }
  }
});

Deno.test("reshapes, slices and reversals of views need no copies where strides can say them", () => {
  const x = input(4, 6), t = build.transpose(x);
  const split = build.reshape(t, [2, 3, 2, 2]), back = build.slice(x, [3, 5], [2, 3], [-2, -2]);
  assertEquals(kinds([sumLast(compute(X.tanh, [split]))], [x]), ["row"]);
  assertEquals(kinds([compute(X.neg, [back])], [x]), ["row"]);
  // Rows of a transposed matrix in one line: only a copy can say it to a product.
  const line = build.reshape(t, [1, 24]);
  assertEquals(kinds([build.product(line, build.transpose(line))], [x]), ["row", "matmul"]);
});

Deno.test("outputs that are inputs, constants, views or given twice are copied; empty ones are no work", () => {
  const x = input(2, 3), y = compute(X.neg, [x]), none = build.slice(y, [0, 0], [0, 3]);
  const outputs = [
    x,
    build.full([2, 3], 4),
    build.transpose(y),
    y,
    y,
    none,
    build.reduce("max", none, [0]),
  ];
  const plan = checked(graphOf(outputs, [x]));
  assertEquals(plan.kernels.flatMap(writesOf).length, 6);
});

Deno.test("a whole block computes what the reference computes", () => {
  const x = input(2, 4, 8), C = 8, square = [[C, C], [C]];
  const shapes = [[C], [C], ...square, ...square, ...square, ...square, [C], [C], [C, 32], [32], [
    32,
    C,
  ], [C]];
  const ps = shapes.map((s) => input(...s));
  const plan = checked(graphOf([block(x, ps, 2)], [x, ...ps]));
  assertEquals(plan.kernels.filter((k) => k.kind === "matmul").length, 8);
  assertEquals(plan.kernels.length, 17);
  checked(graphOf([linear(x, ps[2]!, ps[3]!)], [x, ...ps]), 3);
});

Deno.test("a leaf that is not among the inputs is refused", () => {
  const x = input(2), y = makeNode({ kind: "input", shape: [2], dtype: "f32", inputs: [] });
  let message = "";
  try {
    planOf([add(x, y)], [x]);
  } catch (e) {
    message = e instanceof TypeError ? e.message : "";
  }
  assertEquals(
    message,
    "Cannot plan a graph that reads input f32 [2]: it must be among the inputs",
  );
});
